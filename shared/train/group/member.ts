/**
 * One member of a group in one round of secure aggregation: Bonawitz et al., “Practical Secure Aggregation for
 * Privacy-Preserving Machine Learning” (CCS 2017), figure 4 with the consistency check. The coordinator, which carries
 * all messages, learns the sum of those who sent their values, and nothing else of any of them, even if it lies about
 * who did, as long as less than a third of the group is with it: `threshold` is more than two thirds.
 *
 * The rule that this rests on: of another member, a share of its own mask's seed (it is in the sum) or a share of its
 * pairs' key (it is not), never both. Which of them, follows from the one list of survivors that this member signs, and
 * that `threshold` others must have signed, too. Everything is in memory only: who is restarted has dropped out.
 */
import { bytesToHex, concatBytes, hexToBytes, randomBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../bytes/sha256-sync.ts';
import { AiloError } from '../../errors/index.ts';
import type { Wallet } from '../../wallet/wallet.ts';
import { addMask } from './masks.ts';
import { newKeyPair, openFrom, pairSeed, sealFor, selfSeed } from './pair.ts';
import { split } from './shamir.ts';
import { isSignedBy, type KeyList, keysBytes, type MemberKeys, survivorsBytes } from './statements.ts';

export interface MemberOptions {
  wallet: Wallet;
  networkId: string;
  unit: string;
  /** Addresses of all who were called, this one among them. */
  members: readonly string[];
  /** So many must be in a sum. */
  threshold: number;
}

const SECRET_BYTES = 32;

export class GroupMember {
  readonly #options: MemberOptions;
  readonly #maskPair = newKeyPair();
  readonly #boxPair = newKeyPair();
  readonly #self = randomBytes(SECRET_BYTES);
  #keys: KeyList | undefined;
  /** The two shares that each member, this one included, has here, sealed but for one's own. */
  #held: Record<string, string> | undefined;
  #own = new Uint8Array(0);
  #survivors: readonly string[] | undefined;
  #shared: Promise<Record<string, string>> | undefined;
  #masked = false;

  /** Throws GROUP_UNSAFE where the threshold would let the coordinator and a third of the group see more than the sum. */
  constructor(options: MemberOptions) {
    const { members, threshold, wallet } = options;
    if (3 * threshold <= 2 * members.length) throw unsafe('too few of it would have to agree');
    if (threshold > members.length) throw unsafe('it can never be complete');
    if (new Set(members).size < members.length) throw unsafe('a member is in it twice');
    if (!members.includes(wallet.address)) throw unsafe('this wallet is not in it');
    this.#options = { ...options, members: [...members].sort() };
  }

  get address(): string {
    return this.#options.wallet.address;
  }

  /** The first word: keys for this round. */
  keys(): MemberKeys {
    const keys = {
      maskKey: bytesToHex(this.#maskPair.public),
      boxKey: bytesToHex(this.#boxPair.public),
      commitment: bytesToHex(sha256(this.#self)),
    };
    return { ...keys, signature: bytesToHex(this.#options.wallet.sign(keysBytes(this.#options, keys))) };
  }

  /** Shares of this member's secrets for all who sent keys, sealed, by address: once, then the same. Throws GROUP_UNSAFE. */
  async shares(keys: KeyList): Promise<Record<string, string>> {
    if (this.#keys && !this.#isSame(keys)) throw unsafe('its keys are others than before');
    this.#shared ??= this.#share(keys);
    return this.#shared;
  }

  async #share(keys: KeyList): Promise<Record<string, string>> {
    const { members, threshold, wallet, unit } = this.#options;
    const peers = Object.keys(keys);
    if (peers.length < threshold) throw unsafe('too few sent their keys');
    for (const peer of peers) this.#checkKeys(peer, keys[peer]!);
    if (keys[wallet.address]?.maskKey !== bytesToHex(this.#maskPair.public)) throw unsafe('our keys are not in it');
    this.#keys = keys;
    const places = members.map((_, i) => i + 1);
    const ofMask = split(this.#maskPair.secret, places, threshold, randomBytes);
    const ofSelf = split(this.#self, places, threshold, randomBytes);
    const sealed: Record<string, string> = {};
    for (const peer of peers) {
      const at = members.indexOf(peer);
      const plain = concatBytes(ofMask[at]!.bytes, ofSelf[at]!.bytes);
      if (peer === wallet.address) {
        this.#own = plain as Uint8Array<ArrayBuffer>;
        continue;
      }
      const route = { unit, from: wallet.address, to: peer };
      sealed[peer] = bytesToHex(await sealFor(route, this.#boxPair.secret, hexToBytes(keys[peer]!.boxKey), plain));
    }
    return sealed;
  }

  /** Takes the shares of all others who sent some, by address: with these the masks are shared. Throws GROUP_UNSAFE. */
  hold(sealed: Readonly<Record<string, string>>): void {
    if (!this.#keys) throw unsafe('shares come before keys');
    const { threshold, wallet } = this.#options;
    if (this.#held) {
      if (sameKeys(this.#held, sealed)) return;
      throw unsafe('its members are others than before');
    }
    const peers = Object.keys(sealed);
    if (peers.includes(wallet.address) || peers.some((peer) => !this.#keys![peer]))
      throw unsafe('a share is a stranger’s');
    if (peers.length + 1 < threshold) throw unsafe('too few sent their shares');
    this.#held = { ...sealed };
  }

  /** The values (whole numbers, taken modulo 2^32) under all masks; once only, or masks would show differences. */
  async mask(values: Int32Array): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#held || this.#masked) throw unsafe('it cannot be masked now');
    this.#masked = true;
    const { wallet, unit } = this.#options;
    const words = new Uint32Array(values.length);
    words.set(values);
    await addMask(words, selfSeed(this.#self, unit), 1);
    for (const peer of Object.keys(this.#held)) {
      const seed = pairSeed(this.#maskPair.secret, hexToBytes(this.#keys![peer]!.maskKey), unit);
      await addMask(words, seed, wallet.address < peer ? 1 : -1);
    }
    const bytes = new Uint8Array(4 * words.length);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
    return bytes;
  }

  /** The signature under the list of those in the sum. Signs one list, ever. Throws GROUP_UNSAFE. */
  agree(survivors: readonly string[]): string {
    const { threshold, wallet } = this.#options;
    const sorted = [...survivors].sort();
    if (this.#survivors && this.#survivors.join() !== sorted.join()) throw unsafe('it was told of another sum before');
    if (!this.#masked) throw unsafe('the sum is asked for too soon');
    if (new Set(sorted).size < sorted.length || sorted.length < threshold) throw unsafe('too few are in the sum');
    if (!sorted.includes(wallet.address)) throw unsafe('this wallet is not in the sum');
    if (sorted.some((peer) => peer !== wallet.address && !this.#held![peer])) throw unsafe('a stranger is in the sum');
    this.#survivors = sorted;
    return bytesToHex(wallet.sign(survivorsBytes(this.#options, this.#keys!, sorted)));
  }

  /**
   * One share of every member: of its own mask's seed where it is in the sum, of its pairs' key where not. `signatures`:
   * of those who agreed, by address. A box that does not open is left out. Throws GROUP_UNSAFE.
   */
  async reveal(signatures: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const survivors = this.#survivors;
    if (!survivors) throw unsafe('shares are asked for too soon');
    const statement = survivorsBytes(this.#options, this.#keys!, survivors);
    const agreed = survivors.filter((peer) => signatures[peer] && isSignedBy(peer, signatures[peer], statement));
    if (agreed.length < this.#options.threshold) throw unsafe('too few agreed on who is in the sum');
    const revealed: Record<string, string> = {};
    for (const peer of [this.#options.wallet.address, ...Object.keys(this.#held!)]) {
      const both = await this.#sharesOf(peer).catch(() => undefined);
      if (both?.length !== 2 * SECRET_BYTES) continue;
      const [start, end] = survivors.includes(peer) ? [SECRET_BYTES, 2 * SECRET_BYTES] : [0, SECRET_BYTES];
      revealed[peer] = bytesToHex(both.subarray(start, end));
    }
    return revealed;
  }

  async #sharesOf(peer: string): Promise<Uint8Array> {
    const { wallet, unit } = this.#options;
    if (peer === wallet.address) return this.#own;
    const route = { unit, from: peer, to: wallet.address };
    const theirKey = hexToBytes(this.#keys![peer]!.boxKey);
    return openFrom(route, this.#boxPair.secret, theirKey, hexToBytes(this.#held![peer]!));
  }

  #checkKeys(peer: string, keys: MemberKeys): void {
    if (!this.#options.members.includes(peer)) throw unsafe('a stranger sent keys');
    if (!isSignedBy(peer, keys.signature, keysBytes(this.#options, keys))) throw unsafe('keys are not their member’s');
  }

  #isSame(keys: KeyList): boolean {
    return (
      sameKeys(this.#keys!, keys) &&
      Object.keys(keys).every((peer) => keys[peer]!.maskKey === this.#keys![peer]!.maskKey)
    );
  }
}

function sameKeys(a: object, b: object): boolean {
  return Object.keys(a).sort().join() === Object.keys(b).sort().join();
}

function unsafe(reason: string): AiloError {
  return AiloError.of('GROUP_UNSAFE', { reason });
}
