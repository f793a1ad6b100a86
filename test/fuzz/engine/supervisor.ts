/** Runs a job in a thread of its own and ends it when it hangs: an endless loop cannot report itself. */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { formatCaseId } from './case-id.ts'
import type { Failure } from './failure.ts'
import type { Progress } from './fuzzer.ts'
import { type Job, type JobMessage, SharedCase } from './job.ts'

/** What came of a job. */
export interface Outcome {
  readonly failures: readonly Failure[]
  readonly corpusHash: string
  /** Absent when the thread had to be ended. */
  readonly progress?: Progress
  readonly milliseconds: number
  /** Inputs written to the corpus. */
  readonly written: number
}

/** What Node needs to run this folder and the packages from their sources. */
export const sourceArguments: readonly string[] = [
  '--conditions=carillon-source',
  '--experimental-transform-types',
  '--disable-warning=ExperimentalWarning',
  '--import',
  new URL('../../support/from-source.mjs', import.meta.url).href,
]

/** Runs the job; a case that takes longer than `hangMs` is a failure of the oracle `hang`. */
export function supervise(job: Job, hangMs: number): Promise<Outcome> {
  const shared = new SharedCase()
  const failures: Failure[] = []
  const began = performance.now()
  let corpusHash = '00000000'
  let counter = -1
  let changedAt = began
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
      workerData: { job, buffer: shared.buffer },
      execArgv: [...sourceArguments],
    })
    const finish = (progress?: Progress, written = 0, milliseconds = performance.now() - began): void => {
      clearInterval(watch)
      const outcome = { failures, corpusHash, milliseconds, written }
      resolve(progress === undefined ? outcome : { ...outcome, progress })
      void worker.terminate()
    }
    const watch = setInterval(() => {
      const now = performance.now()
      // Before the first case the thread only loads, which may take long on a busy machine.
      if (shared.counter === 0 || shared.counter !== counter) {
        counter = shared.counter
        changedAt = now
      } else if (now - changedAt > hangMs) {
        const { id, input } = shared.read()
        const message = `hang: the case was not done after ${((now - changedAt) / 1000).toFixed(1)} s`
        const caseId = formatCaseId(id, corpusHash)
        failures.push({ target: job.target, caseId, oracle: 'hang', message, input })
        finish()
      }
    }, hangMs / 10)
    worker.on('message', (message: JobMessage) => {
      if (message.kind === 'begun') corpusHash = message.corpusHash
      else if (message.kind === 'failure') failures.push(message.failure)
      else finish(message.progress, message.written, message.milliseconds)
    })
    worker.on('error', (error) => {
      clearInterval(watch)
      reject(error)
    })
  })
}
