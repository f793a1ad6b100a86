/**
 * Runs benchmarks and prints tables with ratios. They measure the built packages, because those are what ships.
 *
 *   node bench/run.ts [parse|serialize|memory|load …] [--write]
 *
 * Without a name it runs all of them. `--write` also puts the report into bench/RESULTS.md. Ends with 1 when a
 * requirement is missed.
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { formatReport, type Report } from './support/report.ts'

// Imported when asked for, so that each suite starts from a clean heap and what it does not need is not loaded.
const suites: Readonly<Record<string, () => Promise<Report>>> = {
  parse: async () => (await import('./suites/parse.ts')).parseSuite(),
  serialize: async () => (await import('./suites/serialize.ts')).serializeSuite(),
  memory: async () => (await import('./memory/index.ts')).memorySuite(),
  load: async () => (await import('./load/index.ts')).loadSuite(),
}

async function main(): Promise<number> {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  const unknown = names.filter((name) => suites[name] === undefined)
  if (unknown.length > 0)
    return refuse(`no benchmark is called ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`)
  if (!existsSync(fileURLToPath(new URL('../packages/sip-parser/dist/index.js', import.meta.url)))) {
    return refuse('the packages are not built: run npm run build first')
  }
  const parts = [machine()]
  let isMet = true
  console.log(parts[0])
  for (const name of names.length > 0 ? names : Object.keys(suites)) {
    const report = await suites[name]?.()
    if (report === undefined) continue
    const missed = report.verdicts.filter((verdict) => !verdict.isMet).length
    if (missed > 0) isMet = false
    const summary = process.env.CARILLON_SUMMARY
    if (summary) appendFileSync(summary, `bench-${name} ${report.verdicts.length - missed} ${missed}\n`)
    const text = formatReport(report)
    console.log(text)
    parts.push(text)
  }
  if (process.argv.includes('--write')) {
    writeFileSync(fileURLToPath(new URL('./RESULTS.md', import.meta.url)), `# Results\n\n${parts.join('\n')}`)
  }
  return isMet ? 0 : 1
}

function machine(): string {
  const [cpu] = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  return `Node ${process.versions.node}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${memoryGb} GB. Compare ratios, not absolute figures.\n`
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
