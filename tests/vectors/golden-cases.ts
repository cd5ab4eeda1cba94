/** What the golden vectors of our own formats (ledger.json) demand, as plain cases for any runner. */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { Batch } from '../../shared/ledger/batch.ts';
import { openSeal } from '../../shared/ledger/checkpoint.ts';
import { signatureIn } from '../../shared/ledger/entry.ts';
import { decodeGenesis } from '../../shared/ledger/genesis.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import { decodeTile } from '../../shared/ledger/tile.ts';
import { decodeSigned, encodeTransaction, isSignedBySender } from '../../shared/ledger/transaction.ts';
import { verify } from '../../shared/wallet/public-key.ts';
import { createVerifier } from '../../shared/wallet/verifier.ts';
import type { Case } from './cases.ts';
import { ledgerVectors } from './ledger-vectors.ts';

type Vectors = ReturnType<typeof ledgerVectors>;

export function goldenCases(vectors: Vectors): Case[] {
  const network = networkOf(decodeGenesis(utf8ToBytes(vectors.genesis.text)));
  const { steps, checkpoint } = vectors.history;
  return [
    { name: 'the code makes them', expected: vectors, actual: ledgerVectors },
    ...vectors.transactions.map(({ bytes, hash, signature }) => ({
      name: `transaction ${hash}`,
      expected: { hash, bytes, good: true },
      actual: () => {
        const signed = decodeSigned(hexToBytes(bytes + signature));
        const again = bytesToHex(encodeTransaction(signed.transaction));
        return { hash: bytesToHex(signed.hash), bytes: again, good: isSignedBySender(signed) };
      },
    })),
    ...vectors.tiles.map(({ entries, bytes }, i) => ({
      name: `tile ${i}`,
      expected: entries,
      actual: () => decodeTile(hexToBytes(bytes), entries.length).map(bytesToHex),
    })),
    {
      name: 'the history leads to its checkpoint',
      expected: steps.map(({ stateHash, root }) => ({ stateHash, root, good: true })),
      actual: () => {
        const state = LedgerState.empty(network.genesis);
        const log = new LogTree();
        const batch = new Batch(network, { state, log });
        return steps.map(({ entry }) => {
          const signed = signatureIn(batch.add(hexToBytes(entry)).entry);
          const good = !signed || verify(signed.signature, signed.message, signed.publicKey);
          return { stateHash: bytesToHex(state.hash()), root: bytesToHex(log.root()), good };
        });
      },
    },
    {
      name: 'the checkpoint is sealed',
      expected: [steps.length, steps.at(-1)!.root],
      actual: () => {
        const [bytes, signature] = [hexToBytes(checkpoint.bytes), hexToBytes(checkpoint.signature)];
        const { size, root } = openSeal({ bytes, signature }, network);
        return [size, bytesToHex(root)];
      },
    },
  ];
}

/** The signatures of the history by the platform's WebCrypto, where it is fast, and as they must be. */
export async function platformVerdicts({ history }: Vectors): Promise<boolean[]> {
  const network = networkOf(decodeGenesis(utf8ToBytes(ledgerVectors().genesis.text)));
  const batch = new Batch(network, { state: LedgerState.empty(network.genesis), log: new LogTree() });
  const signed = history.steps.map(({ entry }) => signatureIn(batch.add(hexToBytes(entry)).entry));
  return createVerifier().verifyAll(signed.filter((item) => item !== undefined));
}
