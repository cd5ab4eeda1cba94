/** `npm run bench -- guide`: the built-in model, asked what was held aside from its training. */
import { type Command, choice, integer, string } from '../../server/cli.ts';
import { openToAsk } from '../../server/guide/ask.ts';
import { readCorpus } from '../../server/guide/corpus.ts';
import { examine } from '../../server/guide/examine.ts';
import { BUILT_IN_MODEL } from '../../server/model/built-in.ts';
import { QUANTS } from '../../shared/graph/types.ts';

export const guide: Command = {
  options: {
    model: { type: 'string', value: 'DIR', description: 'another model than the built-in one' },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (f32)` },
    stride: { type: 'string', value: 'N', description: 'ask every Nth question only (1)' },
    misses: { type: 'boolean', description: 'print what is not answered as expected' },
  },

  async run(values, cli) {
    const quant = choice(values, 'quant', QUANTS, 'f32');
    const stride = integer(values, 'stride', { min: 1, max: 1000, default: 1 });
    const asked = await openToAsk(string(values, 'model', BUILT_IN_MODEL), quant);
    try {
      const report = await examine(await readCorpus(), asked, stride, ({ question, answer, got }) => {
        if (values.misses === true) cli.print(`${question}\n  expected ${answer}\n  got      ${got}`);
      });
      for (const [kind, { asked, ...marks }] of Object.entries(report)) {
        const [[mark, count]] = Object.entries(marks) as [[string, number]];
        cli.print(`${kind.padEnd(9)} ${count} of ${asked} ${mark} (${((100 * count) / asked).toFixed(1)} %)`);
      }
      cli.result({ quant, ...report });
    } finally {
      await asked.close();
    }
  },
};
