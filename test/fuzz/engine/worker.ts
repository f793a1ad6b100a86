/** The fuzzing thread: runs one job and reports to the thread that watches it. */
import { parentPort, workerData } from 'node:worker_threads'
import { targetByName } from '../targets/index.ts'
import { parseCaseId } from './case-id.ts'
import { readCorpus, writeKept } from './corpus.ts'
import type { Failure } from './failure.ts'
import { Fuzzer } from './fuzzer.ts'
import { type Job, type JobMessage, SharedCase } from './job.ts'
import { minimise } from './minimise.ts'
import type { Target } from './target.ts'

/** Failures that a run that goes on may report. */
const failuresMax = 50

async function run(job: Job, shared: SharedCase): Promise<void> {
  const target = await loadTarget(job)
  const corpus = readCorpus(target.name, job.corpusFolder)
  const announce = (...[id, input]: Parameters<SharedCase['write']>): void => shared.write(id, input)
  const fuzzer = new Fuzzer(target, { seed: job.seed, corpus, announce })
  say({ kind: 'begun', corpusEntries: fuzzer.corpus.length, corpusHash: fuzzer.corpusHash })
  const began = performance.now()
  if (job.input !== undefined || job.caseId !== undefined) replay(fuzzer, job)
  else fuzz(fuzzer, job)
  const milliseconds = performance.now() - began
  const { progress } = fuzzer
  const written = job.isKeeping ? writeKept(fuzzer, job.corpusFolder) : 0
  say({ kind: 'done', progress, milliseconds, written })
}

function fuzz(fuzzer: Fuzzer, job: Job): void {
  const until = performance.now() + job.seconds * 1000
  const seen = new Set<string>()
  for (let left = job.casesMax; left > 0 && performance.now() < until; left -= 1) {
    const failure = fuzzer.step()
    if (failure === undefined || seen.has(failure.oracle)) continue
    seen.add(failure.oracle)
    report(fuzzer, failure)
    if (!job.isGoingOn || seen.size >= failuresMax) return
  }
}

function replay(fuzzer: Fuzzer, job: Job): void {
  const parsed = job.caseId === undefined ? undefined : parseCaseId(job.caseId)
  const failure = parsed === undefined ? fuzzer.checkInput(job.input ?? new Uint8Array(0)) : fuzzer.check(parsed.id)
  if (failure !== undefined) report(fuzzer, failure)
}

function report(fuzzer: Fuzzer, failure: Failure): void {
  // Times need their whole input, and measuring them many times needs patience.
  const isSlow = failure.oracle.startsWith('slow ')
  const small = isSlow
    ? failure.input
    : minimise(failure.input, (candidate) => fuzzer.tryInput(candidate).oracle === failure.oracle)
  say({ kind: 'failure', failure: small.length < failure.input.length ? { ...failure, small } : failure })
}

async function loadTarget(job: Job): Promise<Target> {
  if (job.module === undefined) return targetByName(job.target)
  const { target } = (await import(job.module)) as { target: Target }
  return target
}

function say(message: JobMessage): void {
  parentPort?.postMessage(message)
}

const { job, buffer } = workerData as { readonly job: Job; readonly buffer: SharedArrayBuffer }
await run(job, new SharedCase(buffer))
