import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { AppState, Turn } from '../state.ts';
import { TrashIcon } from '../ui/icons.tsx';
import { live, send } from '../ui/link.ts';
import { storedText } from '../ui/stored.ts';
import { AnswerSettings } from './answer-settings.tsx';
import { Composer } from './composer.tsx';
import { EntryView } from './entry.tsx';
import { ModelPicker } from './model-picker.tsx';
import { entriesOf, obstacleOf, pickModel } from './story.ts';

const chosen = storedText('model');
/** The conversation that the last question goes into, until the offscreen document shows a newer one. */
const askedInto = signal<Turn[] | undefined>(undefined);

/** Within so many pixels of the end, new text keeps the end in view; further up, the reader is left in peace. */
const NEAR_END_PX = 80;

export function Chat({ state: { node, settings, conversation } }: { state: AppState }) {
  const model = pickModel(node.models, chosen.value);
  const isConnected = node.connection === 'connected';
  const isRunning = conversation.at(-1)?.status === 'running' || askedInto.value === conversation;
  const ask = (text: string, id: string) => {
    askedInto.value = conversation;
    send({ type: 'ask', model: id, text });
  };
  return (
    <div class="chat">
      <div class="chat-bar">
        <ModelPicker
          models={node.models}
          model={model}
          isConnected={isConnected}
          onChoose={(id) => (chosen.value = id)}
        />
        <AnswerSettings settings={settings} model={model} />
        <button
          type="button"
          class="icon-button"
          title="Clear conversation"
          aria-label="Clear conversation"
          disabled={conversation.length === 0}
          onClick={() => send({ type: 'clear' })}
        >
          <TrashIcon />
        </button>
      </div>
      <Log node={node} conversation={conversation} onRetry={ask} />
      <Composer
        isRunning={isRunning}
        continues={model?.chat === false}
        obstacle={obstacleOf(model, isConnected)}
        onSend={(text) => model && ask(text, model.id)}
        onStop={() => send({ type: 'stop' })}
      />
    </div>
  );
}

interface LogProps extends Pick<AppState, 'node' | 'conversation'> {
  onRetry(text: string, model: string): void;
}

function Log({ node, conversation, onRetry }: LogProps) {
  const log = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);

  useEffect(() => {
    if (isAtEnd.current) log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [conversation]);

  function onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = log.current!;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  const entries = entriesOf(conversation, node.models);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable for the keyboard
    <div class="log" role="log" aria-label="Conversation" tabIndex={0} ref={log} onScroll={onScroll}>
      {entries.length === 0 && live.value && <Welcome />}
      {entries.map((entry, i) => (
        // Turns are only ever appended, so their place is their identity.
        <EntryView key={i} entry={entry} node={node} onRetry={onRetry} />
      ))}
    </div>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <h2>Many small computers, one answer</h2>
      <p class="muted">
        What you write is computed by the people who contribute right now, each with a part of the model. They and the
        coordinator handle your text, so leave secrets out of it. The conversation is kept on this device only.
      </p>
    </div>
  );
}
