/**
 * The closed set of messages between a node and the coordinator. Everything that arrives is parsed by these schemas
 * before anything else happens; what is not in them does not exist. TypeScript's types are derived from them.
 *
 * A socket begins with three raw Socket.IO events: `challenge` (coordinator), `authenticate` (node, with an
 * acknowledgement), `probe` (coordinator, with an acknowledgement). Everything after that travels as `message`
 * events (`Envelope`) on the reliable channel of channel.ts.
 */
import * as v from 'valibot';
import { MAX_MLP_PARTS } from '../graph/limits.ts';
import { QUANTS } from '../graph/types.ts';
import { ENGINES } from '../runtime/types.ts';
import { WIRE_DTYPES } from '../tensor/payload.ts';
import { MAX_GROUP, MIN_GROUP } from '../train/group/limits.ts';
import {
  MAX_FRAME_BYTES,
  MAX_ICE_SERVERS,
  MAX_NEW_TOKENS,
  MAX_PROMPT_TOKENS,
  MAX_SDP_LENGTH,
  MAX_SHARERS,
  MAX_STAGES,
  MAX_UNITS,
} from './limits.ts';

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const amount = (max: number) => v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(max));
const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const hex = (bytes: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`)));
export const bytes = (min: number, max: number) =>
  v.pipe(
    v.instance(Uint8Array),
    v.check((data) => data.length >= min && data.length <= max, `between ${min} and ${max} bytes`),
  );
/** 128 random bits, hex. */
export const Id = hex(16);
/** A wallet's address is its node's name: one node per wallet. */
export const NodeId = v.pipe(v.string(), v.regex(/^alc1[02-9ac-hj-np-z]{50,70}$/));
export const ModelId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/));
const MicroAlc = v.pipe(v.string(), v.regex(/^-?(0|[1-9][0-9]{0,38})$/));
const Token = count(2 ** 31 - 1);
const Unit = count(MAX_UNITS);
/** Counts how often a stage of a job was replaced; a link has the count of when one of its ends was replaced last. */
const Epoch = count(2 ** 16);
const Rows = count(2 ** 24);
/** Helps two nodes to find a way to each other. No TURN: the coordinator is the relay. */
export const IceUrl = v.pipe(v.string(), v.maxLength(256), v.regex(/^stuns?:[A-Za-z0-9.-]+(:[0-9]{1,5})?$/));
const Attempt = count(2 ** 31);
/**
 * What two nodes say to each other through the coordinator about their direct link: WebRTC's session descriptions with
 * all candidates in them, and what measures the way over the relay.
 */
export const Signal = v.variant('kind', [
  v.strictObject({ kind: v.literal('offer'), attempt: Attempt, sdp: text(MAX_SDP_LENGTH) }),
  v.strictObject({ kind: v.literal('answer'), attempt: Attempt, sdp: text(MAX_SDP_LENGTH) }),
  v.strictObject({ kind: v.literal('ping'), n: Attempt }),
  v.strictObject({ kind: v.literal('pong'), n: Attempt }),
  /** “Be linked with me, and share chunks of the stage that we both hold.” */
  v.strictObject({ kind: v.literal('call') }),
]);
export type Signal = v.InferOutput<typeof Signal>;
export const WireErrorSchema = v.strictObject({ code: text(64), message: text(1024) });

/** Of what members of a group and the coordinator say to each other (train/group/member.ts). */
const inGroup = { campaign: ModelId, unit: Id };
/** X25519 keys, SHA-256 of the own mask's seed, and the wallet's signature over them. */
const groupKeys = { maskKey: hex(32), boxKey: hex(32), commitment: hex(32), signature: hex(64) };
/** IV, two shares and tag of AES-GCM. */
const sealedShares = v.pipe(
  v.array(v.strictObject({ node: NodeId, sealed: hex(12 + 64 + 16) })),
  v.maxLength(MAX_GROUP),
);

export const SamplingSchema = v.strictObject({
  temperature: amount(2),
  topK: count(1_000_000),
  topP: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  repetitionPenalty: v.pipe(v.number(), v.minValue(0.5), v.maxValue(2)),
  seed: count(2 ** 32 - 1),
});

// --- the raw events -------------------------------------------------------------------------------------------

/** Coordinator → node, at once after connecting. The node signs `authenticationBytes` of it. */
export const Challenge = v.strictObject({
  protocol: count(65_535),
  /** SHA-256 of the genesis file: which ledger this coordinator keeps. */
  networkId: hex(32),
  nonce: hex(32),
});
export type Challenge = v.InferOutput<typeof Challenge>;

export const Authenticate = v.strictObject({
  protocol: count(65_535),
  /** Ed25519, canonical and torsion-free. */
  publicKey: hex(32),
  signature: hex(64),
  client: v.strictObject({ kind: v.picklist(['extension', 'headless', 'native']), version: text(32) }),
  /** The session to go on with, and how many of its messages have arrived here. */
  resume: v.optional(v.strictObject({ session: Id, received: count(2 ** 32) })),
});
export type Authenticate = v.InferOutput<typeof Authenticate>;

/** The acknowledgement of `authenticate`. */
export const Authenticated = v.union([
  v.strictObject({
    ok: v.literal(true),
    session: Id,
    /** Messages of this session that have arrived at the coordinator; 0 for a new one. */
    received: count(2 ** 32),
    resumed: v.boolean(),
    /** The one that the ledger gives the wallet. */
    username: v.optional(text(64)),
  }),
  v.strictObject({ ok: v.literal(false), error: WireErrorSchema }),
]);
export type Authenticated = v.InferOutput<typeof Authenticated>;

/** What travels as the event `message`; `seq` counts from 1 in each direction of a session. */
export const Envelope = v.strictObject({
  /** 0: a bare acknowledgement without a body. */
  seq: count(2 ** 32),
  /** Messages of the other direction that have arrived. */
  ack: count(2 ** 32),
  type: v.optional(text(32)),
  body: v.optional(v.unknown()),
});
export type Envelope = v.InferOutput<typeof Envelope>;

// --- node → coordinator ---------------------------------------------------------------------------------------

export const fromNode = {
  /** “I can compute.” Measured figures. `want` asks for one stage of undivided units in particular (STAGE_TOO_LARGE if it can't fit). */
  offer: v.strictObject({
    engine: v.picklist(ENGINES),
    /** Every stage whose memory is within it can be loaded here. */
    budgetBytes: count(2 ** 50),
    /** The same for stages that kernels of its own compute, which are in memory once while they are loaded; it has them. */
    kernelBudgetBytes: v.optional(count(2 ** 50)),
    matmulGflops: amount(1e7),
    want: v.optional(v.strictObject({ model: ModelId, start: Unit, end: Unit })),
    /** It can be linked directly with its neighbours. */
    direct: v.optional(v.literal(true)),
  }),
  /** “I finish what I have and take nothing new.” Answered by `unassign`. */
  withdraw: v.strictObject({}),
  stageReady: v.strictObject({ assignment: Id, loadMs: count(1e9), memoryBytes: count(2 ** 50) }),
  stageFailed: v.strictObject({ assignment: Id, error: WireErrorSchema }),
  /**
   * A tensor frame for a neighbour of the same job; the coordinator relays it, unless `epoch` is not the link's any
   * more. `more`: the sender goes on when the receiver has said `more`.
   */
  frame: v.strictObject({
    job: Id,
    to: NodeId,
    epoch: Epoch,
    more: v.optional(v.literal(true)),
    data: bytes(16, MAX_FRAME_BYTES),
  }),
  /** “I have run what my predecessor sent me; let it go on.” */
  more: v.strictObject({ job: Id }),
  /** Rows of the link into this stage that have arrived: asked for by `jobPrevious`, and told while they come directly. */
  jobRows: v.strictObject({ job: Id, epoch: Epoch, rows: Rows }),
  /** For a neighbour in a job or a room, about the direct link between both. */
  signal: v.strictObject({ to: NodeId, signal: Signal }),
  /** The last stage's answer: the next token of the job. Whether it is the last one, the coordinator knows itself. */
  token: v.strictObject({ job: Id, index: count(MAX_NEW_TOKENS), token: Token }),
  jobFailed: v.strictObject({ job: Id, error: WireErrorSchema }),
  /** The answer to `audit`: digests of the rows that this stage received and sent (RowsDigest), and behind which it sent none. */
  commitment: v.strictObject({ job: Id, received: hex(32), sent: hex(32), rows: Rows }),
  /** A frame of rows for a check: what was asked for by `show`, or what a checker computed. `more` as in `frame`. */
  evidence: v.strictObject({ check: Id, more: v.optional(v.literal(true)), data: bytes(16, MAX_FRAME_BYTES) }),
  /** The check's last row was sent. `wrong`: places in the answer of tokens that the checker's logits cannot give. */
  checked: v.strictObject({ check: Id, wrong: v.pipe(v.array(count(MAX_NEW_TOKENS)), v.maxLength(MAX_NEW_TOKENS)) }),
  /** A request to the network. The requester tokenises: the coordinator never needs the text. */
  generate: v.strictObject({
    request: Id,
    model: ModelId,
    tokens: v.pipe(v.array(Token), v.minLength(1), v.maxLength(MAX_PROMPT_TOKENS)),
    maxNewTokens: v.pipe(count(MAX_NEW_TOKENS), v.minValue(1)),
    sampling: SamplingSchema,
  }),
  cancel: v.strictObject({ request: Id }),
  /**
   * “I can train.” In this campaign, or any that is running, of public texts or, if so said, of texts of its own. Answered
   * by `unit` or `group` when there is something to be done.
   */
  train: v.strictObject({ campaign: v.optional(ModelId), mode: v.optional(v.literal('local')) }),
  groupKeys: v.strictObject({ ...inGroup, ...groupKeys }),
  groupShared: v.strictObject({ ...inGroup, shares: sealedShares }),
  groupAgreed: v.strictObject({ ...inGroup, signature: hex(64) }),
  /** Of each member one share: of its own mask's seed where it is in the sum, of its mask key where not. */
  groupRevealed: v.strictObject({
    ...inGroup,
    shares: v.pipe(v.array(v.strictObject({ node: NodeId, share: hex(32) })), v.maxLength(MAX_GROUP)),
  }),
  /** “I train no more.” A unit that was given may still be handed in. */
  trainNoMore: v.strictObject({}),
  /** “Don't wait for me”: ends the session at once, where a socket that merely drops has its grace. */
  leave: v.strictObject({}),
};

// --- coordinator → node ---------------------------------------------------------------------------------------

export const ModelListing = v.strictObject({
  id: ModelId,
  name: text(96),
  /** SHA-256 of the manifest's bytes: `GET /models/{id}/manifest.json`. */
  manifestHash: hex(32),
  contextLength: count(2 ** 24),
  /** Whether it was trained to chat; otherwise it continues the text it is given. */
  chat: v.boolean(),
  stages: count(MAX_STAGES),
  /** Stages that are loaded. All: the model answers. */
  ready: count(MAX_STAGES),
});
export type ModelListing = v.InferOutput<typeof ModelListing>;

export const AccountSummary = v.strictObject({
  address: NodeId,
  availableMicroAlc: MicroAlc,
  pendingMicroAlc: MicroAlc,
  earnedTodayMicroAlc: MicroAlc,
  earnedTotalMicroAlc: MicroAlc,
  transactions: count(2 ** 48),
});
export type AccountSummary = v.InferOutput<typeof AccountSummary>;

export const fromCoordinator = {
  /** What the network serves; sent after authentication and on every change. */
  models: v.strictObject({ models: v.pipe(v.array(ModelListing), v.maxLength(256)) }),
  /** The wallet's own account; sent after authentication and on every change. */
  account: AccountSummary,
  /** The log's newest checkpoint; sent after authentication and when it moved, at most a few times a second. */
  checkpoint: v.strictObject({ bytes: v.pipe(v.string(), v.regex(/^([0-9a-f]{2}){1,512}$/)), signature: hex(64) }),
  /** “Hold these units.” Answered by stageReady or stageFailed. */
  assign: v.strictObject({
    assignment: Id,
    model: ModelId,
    manifestHash: hex(32),
    start: Unit,
    end: Unit,
    /** Into how many units each MLP half-layer is divided in the list that start and end count; absent: 1. */
    mlpParts: v.optional(v.pipe(count(MAX_MLP_PARTS), v.minValue(2))),
    /** This stage's place in the room, from 0. */
    stage: count(MAX_STAGES),
    stages: count(MAX_STAGES),
    quant: v.picklist(QUANTS),
    contextLength: count(2 ** 24),
    maxSequences: count(1024),
    /** Of the room's activations, which its journals keep; absent: as the quantisation has it. */
    wire: v.optional(v.picklist(WIRE_DTYPES)),
    /** For direct links; absent: none are needed where the network is one house. */
    ice: v.optional(v.pipe(v.array(IceUrl), v.maxLength(MAX_ICE_SERVERS))),
    /** Nodes that hold the same stage and can be linked with directly: its chunks may come from them. */
    sharers: v.optional(v.pipe(v.array(NodeId), v.maxLength(MAX_SHARERS))),
  }),
  unassign: v.strictObject({ assignment: Id }),
  /** A job begins, or goes on here after another holder was lost: who comes next, and for the last stage how to sample. */
  jobOpen: v.strictObject({
    job: Id,
    assignment: Id,
    /** Receives this stage's hidden states; for the last stage: the holder of the first, which gets the tokens. */
    next: NodeId,
    /** Of the link to `next`. */
    epoch: Epoch,
    /** Rows of this link that `next` has already: they are computed, but not sent. */
    has: Rows,
    /** `next` can be reached directly, too. */
    direct: v.optional(v.literal(true)),
    /** Who may send frames directly, and the epoch of that link. */
    previous: v.optional(v.strictObject({ node: NodeId, epoch: Epoch })),
    promptTokens: count(MAX_PROMPT_TOKENS),
    /** Activations between neighbours. */
    wire: v.picklist(WIRE_DTYPES),
    /** For the first and the last stage of a job that drafts: the key of the marks, and the most rows that it can have. */
    draft: v.optional(v.strictObject({ key: Id, maxRows: Rows })),
    /** Only for the last stage. */
    sample: v.optional(
      v.strictObject({
        sampling: SamplingSchema,
        maxNewTokens: count(MAX_NEW_TOKENS),
        /** The prompt, for the repetition penalty; empty where the penalty is 1. */
        prompt: v.pipe(v.array(Token), v.maxLength(MAX_PROMPT_TOKENS)),
        /** What was answered before this stage took over. */
        answered: v.pipe(v.array(Token), v.maxLength(MAX_NEW_TOKENS)),
      }),
    ),
  }),
  /** The successor was replaced: send again what the job sent so far, from row `has` on. */
  jobNext: v.strictObject({ job: Id, next: NodeId, epoch: Epoch, has: Rows, direct: v.optional(v.literal(true)) }),
  /** The predecessor was replaced; `node`, if it is there, may send directly. Answered by `jobRows`. */
  jobPrevious: v.strictObject({ job: Id, epoch: Epoch, node: v.optional(NodeId) }),
  /** Rows of the link to the successor that it has: they need not be sent. */
  jobRows: v.strictObject({ job: Id, epoch: Epoch, rows: Rows }),
  signal: v.strictObject({ from: NodeId, signal: Signal }),
  /** The successor has run what it got; go on sending. */
  more: v.strictObject({ job: Id }),
  jobClose: v.strictObject({ job: Id, reason: v.picklist(['done', 'cancelled', 'failed']) }),
  /**
   * The answer is complete and is to be checked. Answered by `commitment`: what came in from row `receivedFrom` on and
   * went out from `sentFrom` on, up to row `rows`. The last stage's rows that went out are sketches, one for each token
   * of the answer, counted from 0.
   */
  audit: v.strictObject({ job: Id, rows: Rows, receivedFrom: Rows, sentFrom: Rows }),
  /** “Send what the job sent from row `from` on, up to row `rows`, as `evidence` of this check.” */
  show: v.strictObject({ job: Id, check: Id, from: Rows, rows: Rows }),
  /**
   * “Compute this again”: `rows` rows come as frames of the job `check`, what comes out goes back as `evidence`, then
   * `checked`. `jobFailed` says that it cannot be done, `jobClose` that it need not.
   */
  checkOpen: v.strictObject({
    check: Id,
    assignment: Id,
    rows: v.pipe(Rows, v.minValue(1)),
    promptTokens: count(MAX_PROMPT_TOKENS),
    wire: v.picklist(WIRE_DTYPES),
    /** Of the last stage: what it is to have chosen, and by how much logits may differ (a share of their largest). */
    sample: v.optional(
      v.strictObject({
        sampling: SamplingSchema,
        prompt: v.pipe(v.array(Token), v.maxLength(MAX_PROMPT_TOKENS)),
        answer: v.pipe(v.array(Token), v.maxLength(MAX_NEW_TOKENS)),
        tolerance: amount(1),
      }),
    ),
  }),
  /** `from` is absent when the frame is the prompt that the coordinator hands to the first stage. */
  frame: v.strictObject({
    job: Id,
    from: v.optional(NodeId),
    more: v.optional(v.literal(true)),
    data: bytes(16, MAX_FRAME_BYTES),
  }),
  /** “Learn this”: local steps from the weights `start`, on sequences of the shard that `seed` chooses. */
  unit: v.strictObject({
    campaign: ModelId,
    unit: Id,
    round: count(2 ** 32 - 1),
    /** SHA-256 of the weights that the round starts from. */
    start: hex(32),
    shard: count(2 ** 16),
    seed: count(2 ** 32 - 1),
  }),
  /**
   * “You are in a group”: what its members learn is only seen as a sum. Answered by `groupKeys`; more than two thirds of
   * the members, `threshold`, must be in the sum.
   */
  group: v.strictObject({
    ...inGroup,
    round: count(2 ** 32 - 1),
    /** SHA-256 of the weights that the round starts from. */
    start: hex(32),
    members: v.pipe(v.array(NodeId), v.minLength(MIN_GROUP), v.maxLength(MAX_GROUP)),
    threshold: count(MAX_GROUP),
  }),
  /** The keys of all who sent some. Answered by `groupShared`. */
  groupPeers: v.strictObject({
    ...inGroup,
    peers: v.pipe(v.array(v.strictObject({ node: NodeId, ...groupKeys })), v.maxLength(MAX_GROUP)),
  }),
  /** The shares that others sent to this node. Answered by an update under masks. */
  groupShares: v.strictObject({ ...inGroup, shares: sealedShares }),
  /** Whose updates are in the sum. Answered by `groupAgreed`. */
  groupSurvivors: v.strictObject({ ...inGroup, survivors: v.pipe(v.array(NodeId), v.maxLength(MAX_GROUP)) }),
  /** Who agreed. Answered by `groupRevealed`. */
  groupReveal: v.strictObject({
    ...inGroup,
    signatures: v.pipe(v.array(v.strictObject({ node: NodeId, signature: hex(64) })), v.maxLength(MAX_GROUP)),
  }),
  /** The unit's update does not count, and why. */
  unitRefused: v.strictObject({ campaign: ModelId, unit: Id, error: WireErrorSchema }),
  /** A round is over: the SHA-256 of its delta and of the weights that it leads to. */
  round: v.strictObject({ campaign: ModelId, round: count(2 ** 32 - 1), weights: hex(32), delta: hex(32) }),
  /** To the requester. */
  accepted: v.strictObject({ request: Id, participants: v.pipe(v.array(NodeId), v.maxLength(MAX_STAGES)) }),
  token: v.strictObject({
    request: Id,
    index: count(MAX_NEW_TOKENS),
    token: Token,
    /** A node was lost before this token, and the answer stood still for so long until another had taken over. */
    pausedMs: v.optional(count(1e9)),
  }),
  /** Tokens from `index` on were wrong; the right ones follow, or the end. */
  rewind: v.strictObject({ request: Id, index: count(MAX_NEW_TOKENS) }),
  finished: v.strictObject({
    request: Id,
    reason: v.picklist(['stop', 'length']),
    tokens: count(MAX_NEW_TOKENS),
    latencyMs: count(1e9),
  }),
  /** The request, or the job it became, failed. */
  failed: v.strictObject({ request: Id, error: WireErrorSchema }),
  /** The offer, or whatever message of type `about`, was refused; the session goes on. */
  refused: v.strictObject({ about: text(32), error: WireErrorSchema }),
};

export type FromNode = { [T in keyof typeof fromNode]: v.InferOutput<(typeof fromNode)[T]> };
export type FromCoordinator = { [T in keyof typeof fromCoordinator]: v.InferOutput<(typeof fromCoordinator)[T]> };
