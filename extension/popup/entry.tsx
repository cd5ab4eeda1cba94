import type { NodeState } from '../../shared/node/types.ts';
import type { Turn } from '../state.ts';
import { count, shortAddress } from '../ui/format.ts';
import type { Entry } from './story.ts';

interface EntryProps {
  entry: Entry;
  node: NodeState;
  onRetry(text: string, model: string): void;
}

export function EntryView({ entry, node, onRetry }: EntryProps) {
  if (entry.kind === 'question') return <p class="question">{entry.turn.text}</p>;
  const { turn, question } = entry;
  const isRunning = turn.status === 'running';
  return (
    <article class={entry.kind} aria-busy={isRunning} aria-label={entry.kind === 'story' ? 'Story' : 'Answer'}>
      <p class="text">
        {entry.kind === 'story' && <span class="prompt">{question?.text}</span>}
        <span data-testid="answer">{turn.text}</span>
        {isRunning && <span class="caret" aria-hidden="true" />}
      </p>
      {turn.error && (
        <div class="notice bad failure">
          <p role="alert">{turn.error.message}</p>
          {question && (
            <button type="button" class="link" onClick={() => onRetry(question.text, turn.model)}>
              Try again
            </button>
          )}
        </div>
      )}
      <Footer turn={turn} node={node} />
    </article>
  );
}

/** Who computed it and how fast. */
function Footer({ turn, node }: { turn: Turn; node: NodeState }) {
  const { participants = [], tokens = 0, tokensPerSecond, status } = turn;
  if (participants.length === 0) {
    return status === 'running' ? <p class="facts small muted">Reading your text…</p> : null;
  }
  const facts = [
    count(participants.length, 'node'),
    count(tokens, 'token'),
    ...(tokensPerSecond === undefined ? [] : [`${tokensPerSecond.toFixed(1)} tokens/s`]),
    ...(status === 'stopped' ? ['stopped'] : []),
  ];
  const name = node.models.find(({ id }) => id === turn.model)?.name ?? turn.model;
  return (
    <details
      class="facts small muted figures"
      onToggle={({ currentTarget }) => currentTarget.open && currentTarget.scrollIntoView({ block: 'nearest' })}
    >
      <summary>{facts.join(' · ')}</summary>
      <p>{name}, computed in this order by</p>
      <ol>
        {participants.map((address, stage) => (
          <li key={stage}>
            <code title={address}>{shortAddress(address)}</code>
            {address === node.address && ' (this computer)'}
          </li>
        ))}
      </ol>
    </details>
  );
}
