import type { InferenceSession } from 'onnxruntime-common';

/** Where the weights of a stage wait until its session is made of them. */
export interface Staging {
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** By which the session finds them. */
  options(): InferenceSession.SessionOptions;
  /** The session is made, or will not be. */
  clear(): Promise<void>;
}

export function memoryStaging(): Staging {
  const externalData: { path: string; data: Uint8Array }[] = [];
  return {
    async put(path, data) {
      externalData.push({ path, data });
    },
    options: () => ({ externalData }),
    async clear() {
      externalData.length = 0;
    },
  };
}
