/**
 * The node's side of groups: says what its member says (train/group/member.ts) when the coordinator asks, and learns when
 * all have shared. A question that comes again, after a reconnection, is answered as before.
 */
import { AiloError, toAiloError } from '../errors/index.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Campaign } from '../train/campaign/campaign.ts';
import { GroupMember } from '../train/group/member.ts';
import type { Wallet } from '../wallet/wallet.ts';

type Brief = FromCoordinator['group'];
type GroupAnswer = 'groupKeys' | 'groupShared' | 'groupAgreed' | 'groupRevealed';

const MAX_PAST_UNITS = 256;

export interface GroupSideOptions {
  wallet: Wallet;
  networkId(): string | undefined;
  /** Of a campaign that this node trains in with its own texts. Rejects for every other. */
  campaignOf(id: string): Promise<Campaign>;
  send<T extends GroupAnswer>(type: T, body: FromNode[T]): void;
  /** Soon: learns, masks and hands in. Never rejects. */
  contribute(brief: Brief, mask: (values: Int32Array) => Promise<Uint8Array>): Promise<void>;
  onError(error: AiloError): void;
}

export interface GroupSide {
  group(brief: Brief): void;
  groupPeers(body: FromCoordinator['groupPeers']): void;
  groupShares(body: FromCoordinator['groupShares']): void;
  groupSurvivors(body: FromCoordinator['groupSurvivors']): void;
  groupReveal(body: FromCoordinator['groupReveal']): void;
  /** The unit came to nothing, or with none: whatever there is. */
  forget(unit?: string): void;
}

interface Current {
  brief: Brief;
  member: GroupMember;
  /** Under masks; kept, because there is no second time. */
  masked?: Promise<Uint8Array>;
  isContributing: boolean;
}

export function createGroupSide(options: GroupSideOptions): GroupSide {
  const { wallet, send } = options;
  let current: Current | undefined;
  /** Units whose group this node has left: with other keys it must not be in them again. */
  const past = new Set<string>();

  function leave() {
    if (current) past.add(current.brief.unit);
    if (past.size > MAX_PAST_UNITS) past.delete(past.values().next().value!);
    current = undefined;
  }

  async function join(brief: Brief): Promise<void> {
    requireFitting(brief, await options.campaignOf(brief.campaign));
    const { campaign, unit, members, threshold } = brief;
    if (past.has(unit)) return;
    if (current?.brief.unit !== unit) {
      leave();
      const member = new GroupMember({ wallet, networkId: options.networkId()!, unit, members, threshold });
      current = { brief, member, isContributing: false };
    }
    send('groupKeys', { campaign, unit, ...current.member.keys() });
  }

  async function contribute(group: Current): Promise<void> {
    if (group.isContributing) return;
    group.isContributing = true;
    await options.contribute(group.brief, (values) => {
      group.masked ??= group.member.mask(values);
      return group.masked;
    });
    group.isContributing = false;
  }

  /** With the group that is meant; whatever else is asked about is long over here. */
  function within(unit: string, answer: (group: Current) => Promise<void>): void {
    if (current?.brief.unit !== unit) return;
    answer(current).catch(failed);
  }

  function failed(thrown: unknown) {
    leave();
    options.onError(toAiloError(thrown));
  }

  return {
    group: (brief) => void join(brief).catch(failed),
    groupPeers: ({ campaign, unit, peers }) =>
      within(unit, async ({ member }) => {
        const keys = Object.fromEntries(peers.map(({ node, ...own }) => [node, own]));
        const shares = Object.entries(await member.shares(keys)).map(([node, sealed]) => ({ node, sealed }));
        send('groupShared', { campaign, unit, shares });
      }),
    groupShares: ({ unit, shares }) =>
      within(unit, async (group) => {
        group.member.hold(Object.fromEntries(shares.map(({ node, sealed }) => [node, sealed])));
        await contribute(group);
      }),
    groupSurvivors: ({ campaign, unit, survivors }) =>
      within(unit, async ({ member }) => send('groupAgreed', { campaign, unit, signature: member.agree(survivors) })),
    groupReveal: ({ campaign, unit, signatures }) =>
      within(unit, async ({ member }) => {
        const agreed = Object.fromEntries(signatures.map(({ node, signature }) => [node, signature]));
        const shares = Object.entries(await member.reveal(agreed)).map(([node, share]) => ({ node, share }));
        send('groupRevealed', { campaign, unit, shares });
      }),
    forget(unit) {
      if (unit === undefined || current?.brief.unit === unit) leave();
    },
  };
}

/** A group is as large as its campaign promises, and as many of it must be in the sum. Throws GROUP_UNSAFE. */
function requireFitting({ members, threshold, round }: Brief, { data, rounds }: Campaign): void {
  if (data.mode !== 'local') throw AiloError.of('GROUP_UNSAFE', { reason: 'its campaign is one of public texts' });
  const spare = data.groupSize - data.threshold;
  if (members.length < data.groupSize || threshold < members.length - spare) {
    throw AiloError.of('GROUP_UNSAFE', { reason: 'it is smaller than its campaign says' });
  }
  if (round >= rounds) throw AiloError.of('GROUP_UNSAFE', { reason: 'its campaign is over' });
}
