import encodeQR from 'qr';

/** Modules of light around the code, as ISO/IEC 18004 asks for. */
const QUIET_ZONE = 4;

/** A QR code (byte mode, error correction M) as the path of its dark modules in an SVG of `size` × `size`. */
export function qrPath(text: string): { size: number; path: string } {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
  const runs = modules.flatMap((row, y) => darkRuns(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`));
  return { size: modules.length, path: runs.join('') };
}

/** Start and length of each. */
function darkRuns(row: boolean[]): [number, number][] {
  const runs: [number, number][] = [];
  row.forEach((isDark, x) => {
    const last = runs.at(-1);
    if (!isDark) return;
    if (last && last[0] + last[1] === x) last[1]++;
    else runs.push([x, 1]);
  });
  return runs;
}
