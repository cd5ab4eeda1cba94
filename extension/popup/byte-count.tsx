/** “15/64” beside a text that is limited in bytes. */
export function ByteCount({ bytes, limit }: { bytes: number; limit: number }) {
  return (
    <span class={`small figures ${bytes > limit ? 'field-error' : 'muted'}`}>
      {bytes}/{limit}
      <span class="visually-hidden"> bytes</span>
    </span>
  );
}
