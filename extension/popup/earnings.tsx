import type { ComponentChildren } from 'preact';
import browser from 'webextension-polyfill';
import type { AppState } from '../state.ts';
import { Alc } from '../ui/alc.tsx';
import { send } from '../ui/link.ts';
import { CurrentJob } from './current-job.tsx';
import { OwnTexts } from './own-texts.tsx';
import { Preferences } from './preferences.tsx';
import { contributionOf } from './status.ts';
import { Storage } from './storage.tsx';
import { TrainingJob } from './training-job.tsx';

export function Earnings({ state }: { state: AppState }) {
  const { node, settings, answersHelped } = state;
  const { account } = node;
  return (
    <div class="stack">
      <ContributeSwitch state={state} />
      <dl class="figures-row">
        <Figure term="Earned today" id="earned-today">
          <Alc micro={account?.earnedTodayMicroAlc} />
        </Figure>
        <Figure term="In total" id="earned-total">
          <Alc micro={account?.earnedTotalMicroAlc} />
        </Figure>
        <Figure term="Answers" id="answers-helped">
          {answersHelped.toLocaleString('en')}
        </Figure>
      </dl>
      <CurrentJob node={node} />
      <TrainingJob training={node.training} />
      <Preferences settings={settings} ownTexts={state.ownTexts} />
      <OwnTexts isUsed={settings.contributing && settings.training === 'local'} />
      <Storage />
    </div>
  );
}

function ContributeSwitch({ state: { node, settings } }: { state: AppState }) {
  const { contributing, consented } = settings;
  function toggle() {
    if (consented) send({ type: 'change', settings: { contributing: !contributing } });
    // What it means stands on the consent page.
    else void browser.runtime.openOptionsPage();
  }
  return (
    <section class="card contribute" aria-labelledby="contribute-label">
      <div class="row">
        <h2 id="contribute-label">Contribute with this computer</h2>
        <button
          type="button"
          class="switch"
          role="switch"
          aria-checked={contributing}
          aria-labelledby="contribute-label"
          aria-describedby="contribute-state"
          onClick={toggle}
        />
      </div>
      <p id="contribute-state" class="muted" role="status">
        {contributionOf(node, contributing)}
      </p>
    </section>
  );
}

function Figure({ term, id, children }: { term: string; id: string; children: ComponentChildren }) {
  return (
    <div class="card">
      <dt class="small muted">{term}</dt>
      <dd class="figures" data-testid={id}>
        {children}
      </dd>
    </div>
  );
}
