/** Chats through the popup as a person would, and prints what stands there as it grows. */
import type { Page } from 'playwright-core';
import type { Cli } from '../cli.ts';

const ANSWER_TIMEOUT_MS = 300_000;
const LOOK_EVERY_MS = 100;

export interface Exchange {
  question: string;
  answer: string;
}

/** A question and its answer. Throws when the popup shows an error instead, or nothing for too long. */
export async function converse(page: Page, question: string, cli: Cli): Promise<Exchange[]> {
  const send = page.getByRole('button', { name: 'Send' });
  await page.getByRole('textbox', { name: 'Message' }).fill(question);
  await send.click({ timeout: ANSWER_TIMEOUT_MS });
  cli.print(`\nYou:   ${question}`);
  const answer = page.getByTestId('answer').last();
  await answer.waitFor({ timeout: ANSWER_TIMEOUT_MS });
  if (!cli.json) process.stdout.write('Model: ');
  let shown = '';
  for (let deadline = Date.now() + ANSWER_TIMEOUT_MS; Date.now() < deadline; ) {
    const running = await page.getByRole('button', { name: 'Stop' }).isVisible();
    const text = (await answer.textContent()) ?? '';
    if (!cli.json) process.stdout.write(text.slice(shown.length));
    shown = text;
    if (!running) break;
    await page.waitForTimeout(LOOK_EVERY_MS);
  }
  cli.print('\n');
  const problem = page.getByRole('alert');
  if (await problem.isVisible()) throw new Error((await problem.textContent()) ?? 'the answer failed');
  return [{ question, answer: shown }];
}
