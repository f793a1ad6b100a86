/**
 * Simulates for as long as one likes, and stops at the first seed that breaks a rule.
 *
 *   npm run sim -- [--target NAME …] --seconds N [--seed S]
 *
 * `--target` names a world of worlds.ts, as a word without it does. `--seed` begins at that seed; with `--seconds 0` it runs that seed alone and prints what was sent. Without a name all
 * worlds take turns. Ends with 1 when a rule was broken.
 */
import { parseArgs } from 'node:util'
import { worlds } from './worlds.ts'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '30' },
      seed: { type: 'string' },
      target: { type: 'string', multiple: true, default: [] },
    },
  })
  const wanted = [...positionals, ...values.target]
  const names = wanted.length > 0 ? wanted : Object.keys(worlds)
  const unknown = names.filter((name) => worlds[name] === undefined)
  if (unknown.length > 0)
    return refuse(`no world is called ${unknown.join(', ')}; there are ${Object.keys(worlds).join(', ')}`)
  const seconds = Number(values.seconds)
  const first = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed)
  if (!Number.isFinite(seconds) || seconds < 0 || !Number.isSafeInteger(first))
    return refuse('--seconds and --seed are numbers')
  console.log(`worlds: ${names.join(', ')}; first seed ${first}; ${seconds} s`)
  const untilMs = performance.now() + seconds * 1000
  let runs = 0
  let messages = 0
  for (let seed = first; runs === 0 || performance.now() < untilMs; seed += 1) {
    for (const name of names) {
      const report = await worlds[name]!(seed)
      runs += 1
      messages += report.sent
      if (seconds === 0) console.log(report.ladder.join('\n'))
      if (report.violations.length > 0) return fail(name, seed, report.violations)
    }
  }
  console.log(`${runs} worlds, ${messages} messages, no rule broken`)
  return 0
}

function fail(name: string, seed: number, violations: readonly string[]): number {
  console.error(`FAILED: world ${name}, seed ${seed}`)
  for (const violation of violations) console.error(`  ${violation}`)
  console.error(`It happens again with: npm run sim -- --target ${name} --seed ${seed} --seconds 0`)
  return 1
}

function refuse(line: string): number {
  console.error(line)
  return 2
}

process.exitCode = await main()
