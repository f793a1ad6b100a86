/**
 * Runs benchmarks and prints tables with ratios. They measure the built packages, because those are what ships.
 *
 *   node bench/run.ts [parse|serialize|memory|load|srtp|relay …] [--write]
 *
 * Without a name it runs all of them. `--write` also puts the reports into bench/RESULTS.md. Ends with 1 when a
 * requirement is missed.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { formatReport, type Report } from './support/report.ts'

// Imported when asked for, so that each suite starts from a clean heap and what it does not need is not loaded.
const suites: Readonly<Record<string, () => Promise<Report>>> = {
  parse: async () => (await import('./suites/parse.ts')).parseSuite(),
  serialize: async () => (await import('./suites/serialize.ts')).serializeSuite(),
  memory: async () => (await import('./memory/index.ts')).memorySuite(),
  load: async () => (await import('./load/index.ts')).loadSuite(),
  srtp: async () => (await import('./suites/srtp.ts')).srtpSuite(),
  relay: async () => (await import('./relay/index.ts')).relaySuite(),
}

async function main(): Promise<number> {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  const unknown = names.filter((name) => suites[name] === undefined)
  if (unknown.length > 0)
    return refuse(`no benchmark is called ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`)
  if (!existsSync(fileURLToPath(new URL('../packages/sip-parser/dist/index.js', import.meta.url)))) {
    return refuse('the packages are not built: run npm run build first')
  }
  console.log(machine())
  const sections = new Map<string, string>()
  let isMet = true
  for (const name of names.length > 0 ? names : Object.keys(suites)) {
    const report = await suites[name]?.()
    if (report === undefined) continue
    const missed = report.verdicts.filter((verdict) => !verdict.isMet).length
    if (missed > 0) isMet = false
    const summary = process.env.CARILLON_SUMMARY
    if (summary) appendFileSync(summary, `bench-${name} ${report.verdicts.length - missed} ${missed}\n`)
    const text = formatReport(report)
    console.log(text)
    sections.set(report.title, text.replace('\n\n', `\n\n${machine()}\n\n`))
  }
  if (process.argv.includes('--write')) writeResults(sections)
  return isMet ? 0 : 1
}

/** Puts the sections into the results; those of suites that did not run stay as they are. */
function writeResults(fresh: ReadonlyMap<string, string>): void {
  const file = fileURLToPath(new URL('./RESULTS.md', import.meta.url))
  const sections = new Map<string, string>()
  const old = existsSync(file) ? readFileSync(file, 'utf8') : ''
  for (const text of old.split(/^(?=## )/m).slice(1)) sections.set(text.slice(3, text.indexOf('\n')), text)
  for (const [title, text] of fresh) sections.set(title, text)
  const parts = [...sections.values()].map((text) => text.trim())
  writeFileSync(file, `${['# Results', ...parts].join('\n\n')}\n`)
}

function machine(): string {
  const [cpu] = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  return `Node ${process.versions.node}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${memoryGb} GB. Compare ratios, not absolute figures.`
}

function refuse(line: string): number {
  console.error(line)
  return 1
}

process.exitCode = await main().catch((error: unknown) =>
  refuse(error instanceof Error ? (error.stack ?? error.message) : String(error)),
)
// Handles that a suite left open must not keep the process alive.
process.exit()
