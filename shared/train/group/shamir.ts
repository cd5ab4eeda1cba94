/**
 * Shamir's secret sharing (“How to share a secret”, 1979), byte by byte in GF(2^8) with the polynomial of AES, 0x11b: of n
 * shares any `threshold` give the secret back, and fewer say nothing about it.
 */

/** A place (1 to 255) and as many bytes as the secret has. */
export interface Share {
  x: number;
  bytes: Uint8Array;
}

const GENERATOR = 3;
const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i++) {
  EXP[i] = value;
  EXP[i + 255] = value;
  LOG[value] = i;
  value = multiplySlowly(value, GENERATOR);
}

/** One share for each of `places` (different, 1 to 255). `random` gives so many bytes that nobody can predict. */
export function split(
  secret: Uint8Array,
  places: readonly number[],
  threshold: number,
  random: (length: number) => Uint8Array,
): Share[] {
  if (threshold < 1 || threshold > places.length || new Set(places).size < places.length) {
    throw new RangeError(`${threshold} of ${places.length} shares`);
  }
  if (places.some((x) => !Number.isInteger(x) || x < 1 || x > 255)) throw new RangeError('a place is not 1 to 255');
  /** Of the polynomials, from the first power on. */
  const coefficients = Array.from({ length: threshold - 1 }, () => random(secret.length));
  return places.map((x) => {
    const bytes = new Uint8Array(secret.length);
    for (const coefficient of coefficients.toReversed()) horner(bytes, coefficient, x);
    horner(bytes, secret, x);
    return { x, bytes };
  });
}

/** The secret of as many shares as it was split for; of fewer, something else. RangeError for shares that do not go together. */
export function combine(shares: readonly Share[]): Uint8Array {
  const length = shares[0]?.bytes.length ?? 0;
  if (length === 0 || shares.some(({ bytes }) => bytes.length !== length)) throw new RangeError('these are no shares');
  if (new Set(shares.map(({ x }) => x)).size < shares.length) throw new RangeError('a share is there twice');
  const secret = new Uint8Array(length);
  for (const { x, bytes } of shares) {
    // Lagrange's polynomial of this share at 0; minus is plus here.
    let weight = 1;
    for (const other of shares) if (other.x !== x) weight = multiply(weight, divide(other.x, other.x ^ x));
    for (let i = 0; i < length; i++) secret[i]! ^= multiply(weight, bytes[i]!);
  }
  return secret;
}

/** into = into · x + added */
function horner(into: Uint8Array, added: Uint8Array, x: number): void {
  for (let i = 0; i < into.length; i++) into[i] = multiply(into[i]!, x) ^ added[i]!;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : EXP[LOG[a]! + LOG[b]!]!;
}

function divide(a: number, b: number): number {
  return a === 0 ? 0 : EXP[LOG[a]! + 255 - LOG[b]!]!;
}

function multiplySlowly(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit) & 1) product ^= a << bit;
  }
  for (let bit = 14; bit >= 8; bit--) {
    if ((product >> bit) & 1) product ^= 0x11b << (bit - 8);
  }
  return product;
}
