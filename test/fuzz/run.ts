/**
 * The fuzzer's command.
 *
 *   node scripts/run.mjs fuzz message|uri|sdp|sdp-rewrite|stream|rtp|rtcp|srtp|all [--seconds N] [--cases N] [--seed S] [--corpus DIR] [--keep]
 *     [--keep-going] [--case ID] [--input FILE]
 *
 * `all` gives each target its N seconds (60 unless said), one after the other. `--keep` writes inputs that reached
 * something new into the corpus; `--keep-going` reports one failure of each kind and not the first alone; `--case` and
 * `--input` check one case or file. Ends with 1 when a promise was not kept, with 2 when the arguments make no sense.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseCaseId } from './engine/case-id.ts'
import { corpusFolder, writeFailure } from './engine/corpus.ts'
import { type Failure, shown } from './engine/failure.ts'
import type { Job } from './engine/job.ts'
import { msPerKbMax } from './engine/probe.ts'
import { type Outcome, supervise } from './engine/supervisor.ts'
import { type TargetName, targetNames } from './engine/target.ts'

/** One case that takes longer hangs. */
const hangMs = 5_000
const secondsDefault = 60
const inputShownMax = 600

type Options = ReturnType<typeof readArguments>['values']

async function main(): Promise<number> {
  let given: ReturnType<typeof readArguments>
  try {
    given = readArguments()
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = given
  const [name = ''] = positionals
  const targets = name === 'all' ? targetNames : targetNames.filter((target) => target === name)
  if (positionals.length !== 1 || targets.length === 0)
    return refuse(`the target is one of ${targetNames.join(', ')}, all`)
  const seconds = Number(values.seconds ?? secondsDefault)
  const seed = Number(values.seed ?? Date.now() % 2 ** 32)
  const casesMax = Number(values.cases ?? Number.MAX_SAFE_INTEGER)
  if (!(seconds > 0) || !Number.isSafeInteger(seed) || !(casesMax > 0))
    return refuse('seconds, seed and cases are numbers')
  if (values.case !== undefined && parseCaseId(values.case) === undefined) return refuse(`${values.case} is no case`)
  let failed = 0
  for (const target of targets) {
    const folder = resolve(values.corpus ?? corpusFolder)
    failed += (await runTarget(target, { seconds, seed, casesMax, folder }, values)) ? 0 : 1
  }
  const summary = process.env.CARILLON_SUMMARY
  if (summary) appendFileSync(summary, `fuzz ${targets.length - failed} ${failed}\n`)
  return failed === 0 ? 0 : 1
}

function readArguments() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  return parseArgs({
    allowPositionals: true,
    options: {
      seconds: text,
      cases: text,
      seed: text,
      corpus: text,
      case: text,
      input: text,
      keep: flag,
      'keep-going': flag,
    },
  })
}

interface Run {
  readonly seconds: number
  readonly seed: number
  readonly casesMax: number
  readonly folder: string
}

async function runTarget(target: TargetName, run: Run, values: Options): Promise<boolean> {
  const isReplay = values.case !== undefined || values.input !== undefined
  if (!isReplay) console.log(`fuzz ${target}: seed ${run.seed}`)
  const job: Job = {
    target,
    seed: run.seed,
    seconds: run.seconds,
    casesMax: run.casesMax,
    corpusFolder: run.folder,
    isKeeping: values.keep && !isReplay,
    isGoingOn: values['keep-going'],
    ...(values.case === undefined ? {} : { caseId: values.case }),
    ...(values.input === undefined ? {} : { input: new Uint8Array(readFileSync(values.input)) }),
  }
  const outcome = await supervise(job, hangMs)
  const wanted = values.case === undefined ? undefined : parseCaseId(values.case)?.corpusHash
  if (wanted !== undefined && wanted !== outcome.corpusHash) {
    console.log(`The corpus is not the one of that case any more (${outcome.corpusHash}): use the input that was kept.`)
  }
  for (const failure of outcome.failures) reportFailure(failure, run.folder, isReplay)
  if (isReplay) console.log(outcome.failures.length === 0 ? 'All promises were kept.' : '')
  else report(target, outcome)
  return outcome.failures.length === 0
}

function report(target: string, { progress, milliseconds, failures, corpusHash, written }: Outcome): void {
  if (progress === undefined) return
  const { cases, features, corpusEntries, keptInputs, slowest } = progress
  const rate = Math.round((cases * 1000) / milliseconds)
  console.log(
    [
      `${target}: ${cases} cases in ${(milliseconds / 1000).toFixed(1)} s, ${rate} a second, ${failures.length} failures`,
      `  behaviours reached: ${features}; corpus: ${corpusEntries} entries (${corpusHash}), ${keptInputs} kept in this run`,
      `  slowest: ${slowest.msPerKb.toFixed(3)} ms a kilobyte (limit ${msPerKbMax}): ${slowest.operation} on ${slowest.inputBytes} bytes, case ${slowest.caseId}`,
      ...(written > 0 ? [`  ${written} inputs written to the corpus`] : []),
    ].join('\n'),
  )
}

function reportFailure(failure: Failure, folder: string, isReplay: boolean): void {
  const { target, caseId, message, input, small = input } = failure
  console.log(`\nFAILED ${target}, case ${caseId}\n  ${message}`)
  console.log(`  input, ${small.length} of ${input.length} bytes: ${shown(small, inputShownMax)}`)
  if (isReplay) return
  const path = writeFailure(failure, folder)
  console.log(`  whole input: ${path}`)
  console.log(`  again: npm run fuzz -- ${target} --case ${caseId}`)
  console.log(`     or: npm run fuzz -- ${target} --input ${path}`)
}

function refuse(reason: string): number {
  console.error(`${reason}\nusage: npm run fuzz -- TARGET [--seconds N] [--seed S] [--corpus DIR] [--keep] [--case ID]`)
  return 2
}

process.exitCode = await main()
