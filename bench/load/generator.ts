/** Runs a load generator as a process of its own on its own core. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { startPinned } from './pinned.ts'

/** The core on which everything runs that is not measured. */
export const generatorCore = availableParallelism() > 1 ? 1 : 0

/** Runs a generator script to its end; what it prints last is its result. */
export async function runGenerator<Result>(script: string, args: readonly (string | number)[]): Promise<Result> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const generator = startPinned(generatorCore, process.execPath, [file, ...args.map(String)])
  const code = await generator.exited
  if (code !== 0) throw new Error(`the generator ended with ${code}:\n${generator.output().slice(-2000)}`)
  return JSON.parse(generator.output().trim().split('\n').at(-1) ?? '{}') as Result
}
