/**
 * Draws validation losses of `ailo train --eval-every N --json` over their steps, as an SVG:
 *
 *     npx tsx tests/bench/curves.ts OUT.svg "one worker=plain.json" "four, f32=fedavg.json" …
 */
import { readFile, writeFile } from 'node:fs/promises';

interface Curve {
  name: string;
  points: { step: number; loss: number }[];
}

const [WIDTH, HEIGHT] = [720, 400];
const MARGIN = { left: 52, right: 190, top: 16, bottom: 44 };
const COLOURS = ['#8b8fa3', '#2f7fd6', '#d9662b', '#3f9d5a'];
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #444 } .grid { stroke: #8884; stroke-width: 1 }
  polyline { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) { text { fill: #ccc } }`;

async function main([out, ...named]: string[]): Promise<void> {
  if (out === undefined || named.length === 0) throw new Error('curves.ts OUT.svg NAME=FILE …');
  const curves = await Promise.all(named.map(readCurve));
  await writeFile(out, draw(curves));
}

async function readCurve(argument: string): Promise<Curve> {
  const cut = argument.lastIndexOf('=');
  const { evaluations } = JSON.parse(await readFile(argument.slice(cut + 1), 'utf8'));
  return { name: argument.slice(0, cut), points: evaluations };
}

function draw(curves: Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  const lastStep = Math.max(...all.map(({ step }) => step));
  const [low, high] = [
    Math.floor(5 * Math.min(...all.map(({ loss }) => loss))) / 5,
    Math.ceil(5 * Math.max(...all.map(({ loss }) => loss))) / 5,
  ];
  const x = (step: number) => MARGIN.left + (step / lastStep) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (loss: number) => MARGIN.top + ((high - loss) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const grid = steps(low, high, 0.2).map(
    (loss) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${x(lastStep)}" y1="${round(y(loss))}" y2="${round(y(loss))}"/>` +
      `<text x="${MARGIN.left - 8}" y="${round(y(loss) + 4)}" text-anchor="end">${loss.toFixed(1)}</text>`,
  );
  const ticks = steps(0, lastStep, 500).map(
    (step) => `<text x="${round(x(step))}" y="${HEIGHT - MARGIN.bottom + 20}" text-anchor="middle">${step}</text>`,
  );
  const lines = curves.map(({ points }, i) => {
    const path = points.map(({ step, loss }) => `${round(x(step))},${round(y(loss))}`).join(' ');
    return `<polyline stroke="${COLOURS[i % COLOURS.length]}" points="${path}"/>`;
  });
  const middle = round(x(lastStep / 2));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
<title>Validation loss over the steps of a worker</title>
<style>${STYLE}</style>
${[...grid, ...ticks, ...lines, ...labels(curves, x(lastStep) + 8, y)].join('\n')}
<text x="${middle}" y="${HEIGHT - 6}" text-anchor="middle">local steps of a worker; validation loss in nats</text>
</svg>
`;
}

/** At the ends of the curves, moved down where they would overlap. */
function labels(curves: Curve[], x: number, y: (loss: number) => number): string[] {
  let free = 0;
  return curves
    .map(({ name, points }, i) => ({ name, loss: points.at(-1)!.loss, colour: COLOURS[i % COLOURS.length]! }))
    .sort((a, b) => b.loss - a.loss)
    .map(({ name, loss, colour }) => {
      const at = Math.max(free, y(loss) + 4);
      free = at + 17;
      return `<text x="${round(x)}" y="${round(at)}" style="fill:${colour}">${name} ${loss.toFixed(3)}</text>`;
    });
}

function steps(from: number, to: number, by: number): number[] {
  return Array.from({ length: Math.floor((to - from) / by + 1e-9) + 1 }, (_, i) => from + i * by);
}

const round = (value: number) => Math.round(value * 10) / 10;

await main(process.argv.slice(2));
