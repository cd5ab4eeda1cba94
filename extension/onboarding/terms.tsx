/** What a person agrees to. Every sentence has to stay true of the code. */
export function Terms() {
  return (
    <dl class="terms">
      <div>
        <dt>What is computed</dt>
        <dd>
          Parts of language models, and nothing else. Your computer holds a few layers of a model, and numbers pass
          through them whenever somebody asks that model something. All code came with this extension; only weights and
          numbers arrive from the network.
        </dd>
      </div>
      <div>
        <dt>For whom</dt>
        <dd>
          For everyone who chats with the network’s models: people like you, who could not run such a model alone. For
          each answer your computer helped with, your wallet earns AiloCoin (ALC), booked in a public ledger.
        </dd>
      </div>
      <div>
        <dt>What it uses</dt>
        <dd>
          The graphics card, or up to eight threads of the processor; at most a quarter of the memory, which you can
          change; disk space for the parts it holds; and your network connection, to download a part once and to pass
          numbers on. Your name, address and earnings are public, and so is your internet address to the coordinator.
        </dd>
      </div>
      <div>
        <dt>What happens to what you write</dt>
        <dd>
          A question to a model is computed by other people’s computers, and a curious one of them could read it. Leave
          secrets out. The conversation itself is kept on this device only.
        </dd>
      </div>
      <div>
        <dt>How to stop</dt>
        <dd>
          Switch off “Contribute with this computer” in the popup, under Earnings. What is being computed is finished
          first, then the memory is free. Removing the extension removes everything it stored, your wallet included.
        </dd>
      </div>
    </dl>
  );
}
