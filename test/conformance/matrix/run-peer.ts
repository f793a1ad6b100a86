/** Gives messages to a peer in its own thread, one after another, each with a time limit. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Outcome } from './reading'

/** What a test may change. */
export interface RunOptions {
  /** How long a peer may take over one message, which is 4 KB at most. */
  readonly hangMs: number
  readonly program: URL
}

const START_MS = 60_000
const defaults: RunOptions = { hangMs: 5000, program: new URL('./peer-worker.ts', import.meta.url) }

/** The outcomes of all messages for one peer, in their order. Throws when the peer cannot be loaded. */
export async function runPeer(
  name: string,
  messages: readonly Uint8Array[],
  options: RunOptions = defaults,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  let worker = await start(name, options)
  try {
    for (const bytes of messages) {
      const outcome = await ask(worker, bytes, options)
      outcomes.push(outcome)
      if (outcome.kind !== 'hang' && outcome.kind !== 'crash') continue
      // Whatever state the peer has been left in must not touch the next message.
      await worker.terminate()
      worker = await start(name, options)
    }
  } finally {
    await worker.terminate()
  }
  return outcomes
}

async function start(name: string, { program }: RunOptions): Promise<Worker> {
  // Its own standard output, which nobody reads: some peers print what they do not understand.
  const worker = new Worker(program, { workerData: { name }, stdout: true, stderr: true, execArgv: [] })
  worker.stdout.resume()
  worker.stderr.resume()
  if ((await answerOf(worker, START_MS)) !== 'ready') throw new Error(`${name} does not load`)
  return worker
}

async function ask(worker: Worker, bytes: Uint8Array, { hangMs }: RunOptions): Promise<Outcome> {
  const answer = answerOf(worker, hangMs)
  worker.postMessage(bytes)
  try {
    return ((await answer) ?? { kind: 'hang' }) as Outcome
  } catch (thrown) {
    return { kind: 'crash', detail: String(thrown) }
  }
}

/** The next answer; undefined when none comes in time. Throws what nobody caught in the thread. */
async function answerOf(worker: Worker, limitMs: number): Promise<unknown> {
  const limit = AbortSignal.timeout(limitMs)
  try {
    const [answer] = (await once(worker, 'message', { signal: limit })) as [unknown]
    return answer
  } catch (thrown) {
    if (limit.aborted) return undefined
    throw thrown
  }
}
