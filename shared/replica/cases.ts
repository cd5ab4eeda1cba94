/**
 * What a replica must do, as plain cases that any runner can hold, in any host with its own kind of store. No test
 * framework, no Node: the same module runs in a browser.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { encodeTransactionEntry } from '../ledger/entry.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import { wallets } from '../ledger/testing.ts';
import { encodeTile } from '../ledger/tile.ts';
import { failingStores } from './failing-store.ts';
import { createReplica, type ReplicaOptions } from './replica.ts';
import type { ReplicaStores } from './store.ts';
import { SignedLedger, signedEntry, TestCoordinator } from './testing.ts';
import type { Evidence, Replica } from './types.ts';

export interface ReplicaHost {
  /** Another opening of what this host keeps, as after a restart. */
  stores(): ReplicaStores;
}

export interface ReplicaCase {
  name: string;
  run(host: ReplicaHost): Promise<void>;
}

const OWN = wallets[1]!.publicKey;
const RECIPIENT = wallets[3]!.publicKey;
const NOW_MS = Date.UTC(2026, 5, 1);
/** Small enough for short logs to be long gaps. */
const LONG = { shortGap: 0, save: TILE_ENTRIES };
const SHORT = { shortGap: 1e6, save: 1e6 };

export function openTestReplica(
  host: ReplicaHost,
  coordinator: TestCoordinator,
  change: Partial<ReplicaOptions> = {},
): Promise<Replica> {
  return createReplica({
    url: coordinator.url,
    fetch: coordinator.fetch,
    stores: host.stores(),
    publicKey: OWN,
    now: () => NOW_MS,
    schedule: (run) => {
      const timer = setTimeout(run, 0);
      return () => clearTimeout(timer);
    },
    random: () => 0,
    log: { debug() {}, info() {}, warn() {} },
    ...change,
  });
}

/** Throws unless both are the same as JSON, with bytes in hex and big integers in decimals. */
export function same(actual: unknown, expected: unknown, what = ''): void {
  const [a, b] = [plain(actual), plain(expected)];
  if (a !== b) throw new Error(`${what} expected ${b}, but got ${a}`);
}

function plain(value: unknown): string {
  const replace = (_: string, part: unknown) => {
    if (part instanceof Uint8Array) return bytesToHex(part);
    if (typeof part === 'bigint') return String(part);
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)));
  };
  return JSON.stringify(value, replace) ?? 'undefined';
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** What the replica says of everything is what the ledger says. */
export async function sameAs(replica: Replica, ledger: SignedLedger): Promise<void> {
  const { state } = ledger;
  same([replica.state.status, replica.state.size], ['verified', ledger.log.length]);
  same(await replica.totals(), state.totals);
  for (const { publicKey } of wallets) same(await replica.account(publicKey), state.account(publicKey));
  const { transfers } = state.records();
  for (const transfer of [transfers[0], transfers.at(-1)]) {
    if (transfer) same((await replica.transaction(transfer.hash))?.transfer, transfer);
  }
}

/** 600 entries: two full tiles and the beginning of a third. */
const base = () => new SignedLedger().fill(240);

async function verified(host: ReplicaHost, coordinator: TestCoordinator, change: Partial<ReplicaOptions> = {}) {
  const replica = await openTestReplica(host, coordinator, change);
  await replica.sync();
  return replica;
}

/** The replica contradicts, keeps what it had verified before, and both are still so after a restart. */
async function contradicts(
  host: ReplicaHost,
  coordinator: TestCoordinator,
  before: SignedLedger,
  expected: Partial<Evidence> & { code: string },
  change: Partial<ReplicaOptions> = {},
): Promise<void> {
  const { code, ...fields } = expected;
  const check = async (replica: Replica) => {
    same(await codeOf(replica.sync()), code);
    const { status, evidence, size } = replica.state;
    same([status, size, evidence?.reason.code], ['contradicted', before.log.length, code]);
    for (const [name, value] of Object.entries(fields)) same(evidence?.[name as keyof Evidence], value, name);
    same(await replica.account(RECIPIENT), before.state.account(RECIPIENT));
    same(await replica.cosignable(OWN, NOW_MS), undefined);
    await replica.close();
  };
  const replica = await openTestReplica(host, coordinator, change);
  await check(replica);
  const { asked } = coordinator;
  const after = await openTestReplica(host, coordinator, change);
  await settled(after, ({ state }) => state.status !== 'starting');
  const count = asked.length;
  await check(after);
  same(asked.length, count, 'nobody is asked any more');
}

export function settled(replica: Replica, holds: (replica: Replica) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds(replica)) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = replica.subscribe(look);
    look();
  });
}

export const replicaCases: ReplicaCase[] = [
  {
    name: 'replays from genesis, follows, and finds everything again after a restart',
    async run(host) {
      for (const pace of [LONG, SHORT]) {
        const ledger = base();
        const fresh = another(host);
        const coordinator = new TestCoordinator(ledger);
        const replica = await verified(fresh, coordinator, { pace });
        await sameAs(replica, ledger);
        ledger.register('ana', wallets[2]!);
        const transfer = ledger.transfer();
        ledger.place(transfer);
        coordinator.serve(ledger);
        replica.follow(coordinator.seal);
        await settled(replica, ({ state }) => state.size === ledger.log.length && state.status === 'verified');
        await sameAs(replica, ledger);
        same((await replica.ownerOf('ana'))?.publicKey, wallets[2]!.publicKey);
        await replica.close();
        const asked = coordinator.asked.length;
        const again = await openTestReplica(fresh, coordinator, { pace });
        await settled(again, ({ state }) => state.status === 'verified');
        await sameAs(again, ledger);
        same(coordinator.asked.length, asked);
        await again.sync();
        await again.close();
      }
    },
  },
  {
    name: 'knows the own history, newest first, and transactions by their hashes',
    async run(host) {
      const ledger = base();
      const replica = await verified(host, new TestCoordinator(ledger));
      const expected = ledger.state.records().transfers.map(({ hash }) => hash);
      const first = await replica.history({ limit: 100 });
      same(first.transactions.length, 100);
      same(
        first.transactions.map(({ signed }) => signed.hash),
        expected.slice(-100).reverse(),
      );
      let [count, before] = [100, first.next];
      while (before !== undefined) {
        const page = await replica.history({ before, limit: 70 });
        count += page.transactions.length;
        before = page.next;
      }
      // 240 transfers, and one reward of each of the 120 inferences.
      same(count, 360);
      const known = await replica.transaction(expected[7]!);
      same([known?.index, known?.timeMs], [first.transactions.at(-1)!.index - 140 + 7, ledger.timeMs]);
      same(await replica.transaction(new Uint8Array(32).fill(9)), undefined);
      await replica.close();
    },
  },
  {
    name: 'another wallet finds its own history in the same store',
    async run(host) {
      const ledger = base();
      const coordinator = new TestCoordinator(ledger);
      await (await verified(host, coordinator)).close();
      const other = await verified(host, coordinator, { publicKey: wallets[2]!.publicKey });
      const { transactions } = await other.history({ limit: 1 });
      same(transactions[0]?.signed.transaction.to, wallets[2]!.publicKey);
      ledger.pay();
      coordinator.serve(ledger);
      await other.sync();
      await other.close();
      const again = await verified(host, coordinator, { publicKey: wallets[2]!.publicKey });
      same((await again.history({ limit: 1 })).transactions[0]?.index, ledger.log.length - 1);
      await again.close();
    },
  },
  {
    name: 'says what a cosignature would verify, and shows who did',
    async run(host) {
      const ledger = new SignedLedger((genesis) => ({
        ...genesis,
        transfer: { ...genesis.transfer, confirmations: 1 },
      }));
      ledger.pay();
      const transfer = ledger.transfer({ amountMicroAlc: 1000n });
      ledger.place(transfer);
      const coordinator = new TestCoordinator(ledger);
      const replica = await verified(host, coordinator);
      const [sender, eligible, idle] = [wallets[1]!, wallets[2]!, wallets[0]!].map(({ publicKey }) => publicKey);
      const size = ledger.log.length;
      const expected = { size, root: ledger.view.rootAt(size), transfers: [transfer.hash] };
      same(await replica.cosignable(eligible!, ledger.timeMs), expected);
      for (const key of [sender!, idle!]) same(await replica.cosignable(key, ledger.timeMs), undefined);
      ledger.cosign(wallets[2]!);
      coordinator.serve(ledger);
      await replica.sync();
      same(await replica.cosignable(eligible!, ledger.timeMs), undefined);
      const known = await replica.transaction(transfer.hash);
      same([known?.transfer?.confirmed, known?.verifiers], [true, [wallets[2]!.address]]);
      await replica.close();
    },
  },
  {
    name: 'still knows transfers that no rule reads any more',
    async run(host) {
      const ledger = new SignedLedger((genesis) => ({
        ...genesis,
        transfer: { ...genesis.transfer, confirmations: 1 },
      }));
      ledger.fill(4);
      ledger.cosign(wallets[2]!);
      const open = ledger.transfer();
      ledger.place(open);
      ledger.timeMs += ledger.network.genesis.transfer.reportWindowMs + 1;
      ledger.pay();
      const coordinator = new TestCoordinator(ledger);
      const { transfers } = ledger.state.records();
      const check = async (replica: Replica) => {
        await sameAs(replica, ledger);
        for (const transfer of transfers) {
          const known = await replica.transaction(transfer.hash);
          same(known?.transfer, transfer);
          same(known?.verifiers, transfer.confirmed ? [wallets[2]!.address] : []);
        }
      };
      const replica = await verified(host, coordinator);
      await check(replica);
      ledger.cosign(wallets[2]!);
      ledger.pay();
      transfers.splice(-1, 1, ledger.state.transfer(open.hash)!);
      coordinator.serve(ledger);
      await replica.sync();
      await check(replica);
      await replica.close();
      const again = await verified(host, coordinator);
      await check(again);
      await again.close();
    },
  },
  {
    name: 'goes on where it stopped in a long gap',
    async run(host) {
      const ledger = base();
      const coordinator = new TestCoordinator(ledger);
      coordinator.interfere = (path) => (path.startsWith('/v1/tiles/2') ? Response.error() : undefined);
      const replica = await openTestReplica(host, coordinator, { pace: LONG });
      same(await codeOf(replica.sync()), 'LEDGER_UNREACHABLE');
      same([replica.state.status, replica.state.error?.code], ['verifying', 'LEDGER_UNREACHABLE']);
      await replica.close();
      coordinator.interfere = () => undefined;
      coordinator.asked.length = 0;
      const again = await verified(host, coordinator, { pace: LONG });
      same(again.state.error, undefined);
      same(
        coordinator.asked.filter((path) => path === '/v1/tiles/0'),
        [],
      );
      await sameAs(again, ledger);
      await again.close();
    },
  },
  {
    name: 'does not believe what broke on its way, and gets it again',
    async run(host) {
      for (const pace of [LONG, SHORT]) {
        const ledger = base();
        const fresh = another(host);
        const coordinator = new TestCoordinator(ledger);
        const spoilt = [...ledger.log.slice(0, TILE_ENTRIES)];
        spoilt[5] = spoilt[4]!;
        const answers: (() => Response)[] = [
          () => new Response(encodeTile(spoilt) as Uint8Array<ArrayBuffer>),
          () => new Response(new Uint8Array(10)),
          () => new Response('', { status: 503 }),
          () => Response.error(),
        ];
        coordinator.interfere = (path) => (path === '/v1/tiles/0' ? answers.shift()?.() : undefined);
        const replica = await openTestReplica(fresh, coordinator, { pace });
        same(await codeOf(replica.sync()), 'TILE_INVALID');
        await settled(replica, ({ state }) => state.status === 'verified');
        await sameAs(replica, ledger);
        await replica.close();
      }
    },
  },
  {
    name: 'ignores what another key signed and what lags behind',
    async run(host) {
      const ledger = base();
      const older = ledger.seal();
      ledger.place(ledger.transfer());
      const coordinator = new TestCoordinator(ledger);
      const replica = await verified(host, coordinator);
      const forged = { bytes: coordinator.seal.bytes, signature: wallets[1]!.sign(coordinator.seal.bytes) };
      replica.follow(forged);
      replica.follow(older);
      await replica.sync();
      await sameAs(replica, ledger);
      await replica.close();
    },
  },
  {
    name: 'keeps to the network that it first found',
    async run(host) {
      const coordinator = new TestCoordinator(new SignedLedger().fill(2));
      await (await verified(host, coordinator)).close();
      const other = new SignedLedger((genesis) => ({ ...genesis, name: 'another' }));
      coordinator.serve(other);
      const replica = await openTestReplica(host, coordinator);
      same(await codeOf(replica.sync()), 'LEDGER_OTHER_NETWORK');
      await replica.close();
      same(
        await codeOf(openTestReplica(host, coordinator, { network: bytesToHex(other.network.id) })),
        'LEDGER_OTHER_NETWORK',
      );
    },
  },
  {
    name: 'proves a fork',
    async run(host) {
      const before = base();
      const coordinator = new TestCoordinator(before);
      await (await verified(host, coordinator)).close();
      const older = coordinator.seal;
      const forked = new SignedLedger().begin(before, before.log.length - 1);
      forked.place(forked.transfer({ memo: 'another' }));
      coordinator.serve(forked);
      await contradicts(host, coordinator, before, {
        ...{ kind: 'fork', code: 'LEDGER_FORKED', older, newer: coordinator.seal },
      });
    },
  },
  {
    name: 'proves that the log was rewritten, and where',
    async run(host) {
      for (const pace of [LONG, SHORT]) {
        const before = base();
        const coordinator = new TestCoordinator(before);
        const fresh = pace === LONG ? host : another(host);
        await (await verified(fresh, coordinator)).close();
        const older = coordinator.seal;
        const index = before.log.length - 20;
        const rewritten = new SignedLedger().begin(before, index);
        for (let i = 0; i < 40; i++) rewritten.place(rewritten.transfer({ memo: 'another' }));
        coordinator.serve(rewritten);
        await contradicts(
          fresh,
          coordinator,
          before,
          {
            ...{ kind: 'rewrite', code: 'LEDGER_REWRITTEN', older, newer: coordinator.seal, index },
            entry: { before: before.log[index]!, now: rewritten.log[index]! },
          },
          { pace },
        );
      }
    },
  },
  {
    name: 'proves that an older checkpoint is of another log',
    async run(host) {
      const before = base();
      const coordinator = new TestCoordinator(before);
      await (await verified(host, coordinator)).close();
      const newer = coordinator.seal;
      const other = new SignedLedger().begin(before, before.log.length - 10);
      other.place(other.transfer({ memo: 'another' }));
      coordinator.serve(other);
      const older = coordinator.seal;
      await contradicts(host, coordinator, before, { kind: 'rewrite', code: 'LEDGER_REWRITTEN', older, newer });
    },
  },
  {
    name: 'proves that a sealed entry breaks a rule, and which',
    async run(host) {
      for (const [pace, code] of [
        [LONG, 'BALANCE_INSUFFICIENT'],
        [SHORT, 'BALANCE_INSUFFICIENT'],
        [LONG, 'SIGNATURE_INVALID'],
        [SHORT, 'SIGNATURE_INVALID'],
      ] as const) {
        const before = base();
        const fresh = another(host);
        const coordinator = new TestCoordinator(before);
        await (await verified(fresh, coordinator)).close();
        const broken = new SignedLedger().begin(before, before.log.length);
        broken.place(broken.transfer());
        const index = broken.log.length;
        const transfer = broken.transfer(code === 'SIGNATURE_INVALID' ? {} : { amountMicroAlc: 10n ** 12n });
        const bad = encodeTransactionEntry(broken.timeMs, transfer);
        broken.force(code === 'SIGNATURE_INVALID' ? bad : signedEntry(bad));
        for (let i = 0; i < 300; i++)
          broken.force(signedEntry(encodeTransactionEntry(broken.timeMs, broken.transfer())));
        coordinator.serve(broken);
        const entry = { now: broken.log[index]! };
        const newer = coordinator.seal;
        await contradicts(fresh, coordinator, before, { kind: 'rule', code, newer, index, entry }, { pace });
      }
    },
  },
  {
    name: 'proves that the entries lead to another state, also after progress was stored',
    async run(host) {
      for (const pace of [LONG, SHORT]) {
        const before = base();
        const fresh = another(host);
        const coordinator = new TestCoordinator(before);
        await (await verified(fresh, coordinator)).close();
        const after = new SignedLedger().begin(before, before.log.length).fill(100);
        const newer = after.seal({ stateHash: new Uint8Array(32).fill(1) });
        coordinator.serve(after, newer);
        await contradicts(fresh, coordinator, before, { kind: 'state', code: 'LEDGER_STATE_WRONG', newer }, { pace });
      }
    },
  },
  {
    name: 'refuses a checkpoint before the rewards that are due',
    async run(host) {
      const before = base();
      const coordinator = new TestCoordinator(before);
      await (await verified(host, coordinator)).close();
      const after = new SignedLedger().begin(before, before.log.length);
      after.pay();
      const early = new SignedLedger().begin(after, after.log.length - 1);
      coordinator.serve(early);
      const index = early.log.length - 1;
      await contradicts(host, coordinator, before, { kind: 'rule', code: 'REWARD_MISSING', index });
    },
  },
  {
    name: 'survives every write that fails, whether it happened or not',
    async run(host) {
      const before = base();
      const after = new SignedLedger().begin(before, before.log.length).fill(20);
      const forked = new SignedLedger().begin(before, after.log.length);
      while (forked.log.length < after.log.length) forked.place(forked.transfer({ memo: 'another' }));
      for (const failure of ['lost', 'kept'] as const) {
        for (let nth = 0, isReached = true; isReached; nth++) {
          const kept = another(host);
          const failing = failingStores(kept.stores(), nth, failure);
          const faulty = { stores: () => failing };
          const coordinator = new TestCoordinator(before);
          const replica = await openTestReplica(faulty, coordinator, { pace: LONG });
          await succeeds(replica);
          coordinator.serve(after);
          await succeeds(replica);
          await sameAs(replica, after);
          replica.follow(forked.seal());
          await settled(replica, ({ state }) => state.status === 'contradicted');
          await replica.close();
          isReached = failing.saves > nth;
          const again = await openTestReplica(kept, coordinator, { pace: LONG });
          await settled(again, ({ state }) => state.status === 'contradicted');
          same(again.state.size, after.log.length);
          same(await again.account(RECIPIENT), after.state.account(RECIPIENT));
          await again.close();
        }
      }
    },
  },
];

/** Errors on the way are shown and tried again. */
async function succeeds(replica: Replica): Promise<void> {
  while ((await codeOf(replica.sync())) !== 'none');
}

/** A host that keeps things of its own where there are several in one case. */
function another(host: ReplicaHost): ReplicaHost {
  const salt = bytesToHex(crypto.getRandomValues(new Uint8Array(4)));
  const salted = (stores: ReplicaStores): ReplicaStores => ({
    pinned: (url) => stores.pinned(url + salt),
    pin: (url, genesis) => stores.pin(url + salt, genesis),
    open: (id) => stores.open(salt + id.slice(salt.length)),
  });
  return { stores: () => salted(host.stores()) };
}
