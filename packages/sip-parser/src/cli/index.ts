/**
 * The `sip-parser` command without its input and output: arguments and bytes in, text and exit code out. The files are read
 * by bin/sip-parser.cjs.
 */
import { commandInputBytesMax } from '../limits'
import { extractMessages } from './extract'
import type { CommandOptions } from './plan'
import { reportData } from './render-json'
import { renderReport } from './render-text'
import { type MessageReport, reportMessage } from './report'
import { painter } from './screen'

export { type CommandOptions, helpText, type Plan, planCommand } from './plan'
export { commandInputBytesMax }

/** One file as it was read, or why it could not be read. */
export interface CommandInput {
  readonly name: string
  readonly bytes?: Uint8Array
  readonly error?: string
}

/** What to print, and the exit code: 0 good, 1 problems, 2 unreadable or no message. */
export interface CommandOutput {
  readonly code: 0 | 1 | 2
  readonly stdout: string
  readonly stderr: string
}

/** Judges all messages of all files. Never throws. */
export function inspectFiles(
  inputs: readonly CommandInput[],
  options: CommandOptions,
  isColourful: boolean,
): CommandOutput {
  const paint = painter(options.colour ?? isColourful)
  const texts: string[] = []
  const data: object[] = []
  const errors: string[] = []
  let hasProblem = false
  for (const input of inputs) {
    const reports = reportsOf(input, options, errors)
    for (const [index, report] of reports.entries()) {
      hasProblem ||= report.verdict !== 'good'
      if (options.isJson) data.push({ file: input.name, ...reportData(report) })
      else texts.push(renderReport(report, titleOf(input.name, report, index, reports.length), options.isQuiet, paint))
    }
  }
  const code = errors.length > 0 ? 2 : hasProblem ? 1 : 0
  const stderr = errors.map((error) => `sip-parser: ${error}\n`).join('')
  const stdout = options.isJson ? `${JSON.stringify({ code, messages: data, errors }, null, 2)}\n` : texts.join('\n')
  return { code, stdout, stderr }
}

function reportsOf(input: CommandInput, options: CommandOptions, errors: string[]): readonly MessageReport[] {
  const { name, bytes } = input
  if (bytes === undefined) {
    errors.push(`${name}: ${input.error ?? 'cannot be read'}`)
    return []
  }
  if (bytes.byteLength > commandInputBytesMax) {
    errors.push(`${name}: is larger than ${commandInputBytesMax} bytes`)
    return []
  }
  const reports = extractMessages(bytes).map((found) => reportMessage(found, options))
  if (reports.length === 0) errors.push(`${name}: holds no message`)
  return reports
}

function titleOf(name: string, { found }: MessageReport, index: number, count: number): string {
  const which = count === 1 ? '' : `, message ${index + 1} of ${count}`
  const label = found.label === undefined ? '' : ` (${found.label})`
  return `${name === '-' ? 'standard input' : name}${which}${label}`
}
