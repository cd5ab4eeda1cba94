/** What became of the last task: what went wrong, or what was done. */
export function TaskOutcome({ error, done }: { error: string | undefined; done: string }) {
  return (
    <>
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      <p class="small muted" role="status" hidden={done === ''}>
        {done}
      </p>
    </>
  );
}
