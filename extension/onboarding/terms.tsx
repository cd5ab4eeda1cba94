/** What a person agrees to. Every sentence has to stay true of the code. */
export function Terms() {
  return (
    <dl class="terms">
      <div>
        <dt>What is computed</dt>
        <dd>
          Parts of language models, and nothing else. Your computer holds a few layers of a model; when somebody asks
          that model something, numbers pass through them. It also trains models on public texts, for as long as you
          leave that switched on; on texts of your own only if you add some and choose that. All code came with this
          extension: only weights, texts and numbers arrive from the network.
        </dd>
      </div>
      <div>
        <dt>For whom</dt>
        <dd>
          For everyone who chats with the network’s models and could not run them alone. For each answer and each round
          of training your computer helps with, your wallet earns AiloCoin (ALC), booked in a public ledger.
        </dd>
      </div>
      <div>
        <dt>What it uses</dt>
        <dd>
          The graphics card, or up to eight threads of the processor. About a quarter of the memory at most; you can
          change that. Disk space for the parts it holds. The network, to download a part once, to give it to others who
          need it, too, and to pass numbers on. Username, wallet address and earnings are public. The coordinator sees
          your internet address, and so may the computers that hold the neighbouring parts or the same one: they are
          linked directly where that is possible.
        </dd>
      </div>
      <div>
        <dt>What happens to what you write</dt>
        <dd>
          Other people’s computers answer your questions, so a curious one could read them: leave secrets out. The
          conversation itself is kept on this device only. So are texts that you add to be learned from: what was
          learned from them leaves in sums with others’ only.
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
