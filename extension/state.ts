/** What the offscreen document shows to popup and onboarding: plain data, pushed on every change. */
import type { WireError } from '../shared/errors/index.ts';
import type { NodeState } from '../shared/node/types.ts';
import type { Evidence, ReplicaState } from '../shared/replica/types.ts';
import type { WalletAccount } from '../shared/replica/wallet-types.ts';

/** `auto`: the GPU where there is one, else the processor. */
export const ENGINE_CHOICES = ['auto', 'webgpu', 'wasm'] as const;
/** 0: a share of what the machine has. */
export const MEMORY_CHOICES_MIB = [0, 512, 1024, 2048, 4096, 8192] as const;

/** Whether contributing includes training, and from whose texts: never from both at once. */
export const TRAINING_CHOICES = ['off', 'public', 'local'] as const;

/** Minutes without use of the wallet; 0: never. */
export const AUTO_LOCK_CHOICES_MINUTES = [5, 15, 60, 0] as const;

export interface Settings {
  coordinatorUrl: string;
  /** The name the person asked for; the ledger may refuse it (`usernameError`). */
  username?: string;
  /** Whether the person read the consent page and switched contributing on; remembered over restarts. */
  contributing: boolean;
  /** Whether the consent page was answered at all. */
  consented: boolean;
  training: (typeof TRAINING_CHOICES)[number];
  /** Of the next answers. */
  temperature: number;
  maxNewTokens: number;
  engine: (typeof ENGINE_CHOICES)[number];
  /** What stages may take. */
  memoryMiB: (typeof MEMORY_CHOICES_MIB)[number];
  /** After it, spending asks for the wallet's password again. */
  autoLockMinutes: (typeof AUTO_LOCK_CHOICES_MINUTES)[number];
}

/** What is kept on this computer of a model's files. */
export interface StoredModel {
  model: string;
  bytes: number;
  /** When it was last needed, milliseconds since 1970. */
  usedMs: number;
}

/** What all models take of this computer's storage, and may take. */
export interface StorageUse {
  models: StoredModel[];
  budgetBytes: number;
}

/** A text of the person's own that training may learn from; without its words. */
export interface OwnText {
  id: number;
  name: string;
  bytes: number;
  characters: number;
  /** Milliseconds since 1970. */
  addedMs: number;
  /** Campaigns in which something was handed in that was learned from it, the last one first. */
  uses: { campaign: string; rounds: number; lastMs: number }[];
}

/** One turn of the conversation. An answer is written to while `status` is `running`. */
export interface Turn {
  role: 'user' | 'assistant';
  text: string;
  model: string;
  status: 'running' | 'done' | 'stopped' | 'failed';
  /** Only answers. */
  tokens?: number;
  tokensPerSecond?: number;
  /** Addresses of the nodes that computed it, in the order of their stages. */
  participants?: string[];
  error?: WireError;
}

/** What may be seen of the wallet without its password. */
export interface WalletView {
  /** `all`: there is no key, so no node runs. `spending`: the node runs, but sending money needs the password. */
  locked: 'no' | 'spending' | 'all';
  hasPassword: boolean;
  /** Whether its words were written down, and that was checked. */
  backedUp: boolean;
  /** Absent when it cannot be read; then `error` says why. */
  address?: string;
  error?: WireError;
}

/** This browser's own copy of the ledger: ReplicaState, and what the network's genesis says about transfers. */
export interface LedgerView extends Omit<ReplicaState, 'evidence'> {
  evidence?: Pick<Evidence, 'kind' | 'reason' | 'noticedMs'>;
  /** µALC, decimal. */
  feeMicroAlc: string;
  /** Verifications that make a transfer CONFIRMED. */
  confirmations: number;
  /** How long after its place in the ledger a transfer can be reported. */
  reportWindowMs: number;
}

export interface AppState {
  settings: Settings;
  wallet: WalletView;
  /** Stopped, with the reason in its `error`, while the wallet is locked. */
  node: NodeState;
  /** Absent until the network's rules are known. */
  ledger?: LedgerView;
  /** As verified here; absent until there is something verified. */
  account?: WalletAccount;
  /** Why the wallet does not have the name that the person asked for. */
  usernameError?: WireError;
  conversation: Turn[];
  /** Texts of the person's own that training may learn from. */
  ownTexts: number;
  /** Answers that went through a stage held here, ever. */
  answersHelped: number;
}
