/**
 * The `sip-parser` command without its input and output: arguments and bytes in, text and exit code out. The files are read
 * by bin/sip-parser.cjs.
 */
import { Buffer } from 'node:buffer'
import { commandInputBytesMax } from '../limits'
import { visibleText } from '../message/excerpt'
import { extractMessages, type FoundMessage } from './extract'
import type { CommandOptions } from './plan'
import { reportData } from './render-json'
import { renderReport } from './render-text'
import { type MessageReport, reportMessage } from './report'
import { painter, terminalJson } from './screen'

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

/** What the screen is like. */
export interface Screen {
  /** True when colours are wanted and nothing says otherwise. */
  readonly isColourful: boolean
  /** Absent when the output is no terminal. */
  readonly columns?: number | undefined
}

/** How the judging ended. */
export type CommandEnd = Pick<CommandOutput, 'code' | 'stderr'>

/** Judges all messages of all files. Never throws. */
export function inspectFiles(inputs: readonly CommandInput[], options: CommandOptions, screen: Screen): CommandOutput {
  const pieces = inspectEach(inputs, options, screen)
  let stdout = ''
  for (;;) {
    const { done, value } = pieces.next()
    if (done === true) return { stdout, ...value }
    stdout += value
  }
}

/** The same one message at a time, so that the report on a large file need not be in memory as a whole. */
export function* inspectEach(
  inputs: readonly CommandInput[],
  options: CommandOptions,
  screen: Screen,
): Generator<string, CommandEnd> {
  const paint = painter(options.colour ?? screen.isColourful)
  const errors: string[] = []
  let hasProblem = false
  let separator = options.isJson ? '{\n"messages": [' : ''
  for (const input of inputs) {
    const messages = messagesOf(input, errors)
    for (const [index, found] of messages.entries()) {
      const report = reportMessage(found, options)
      hasProblem ||= report.verdict !== 'good'
      const title = titleOf(input.name, report, index, messages.length)
      const text = options.isJson
        ? terminalJson({ file: input.name, ...reportData(report) })
        : renderReport(report, title, options.isQuiet, paint, screen.columns)
      yield separator + text
      separator = options.isJson ? ',' : '\n'
    }
  }
  const code = errors.length > 0 ? 2 : hasProblem ? 1 : 0
  if (options.isJson)
    yield `${separator === ',' ? '' : separator}],\n"errors": ${terminalJson(errors)},\n"code": ${code}\n}\n`
  return { code, stderr: errors.map((error) => `sip-parser: ${visibleText(error)}\n`).join('') }
}

function messagesOf({ name, bytes, error }: CommandInput, errors: string[]): readonly FoundMessage[] {
  if (bytes === undefined) {
    errors.push(`${name}: ${error ?? 'cannot be read'}`)
    return []
  }
  if (bytes.byteLength > commandInputBytesMax) {
    errors.push(`${name}: is larger than ${commandInputBytesMax} bytes`)
    return []
  }
  if (isBinaryCapture(bytes)) {
    errors.push(`${name}: is a binary capture; make text of it, with tcpdump -X or tshark -x`)
    return []
  }
  const messages = extractMessages(bytes)
  if (messages.length === 0) errors.push(`${name}: holds no message`)
  return messages
}

/** True for the magic numbers of pcap, in either order of bytes, with microseconds or nanoseconds, and of pcapng. */
function isBinaryCapture(bytes: Uint8Array): boolean {
  const magic = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 4)).toString('hex')
  return ['a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1', '0a0d0d0a'].includes(magic)
}

function titleOf(name: string, { found }: MessageReport, index: number, count: number): string {
  const which = count === 1 ? '' : `, message ${index + 1} of ${count}`
  const label = found.label === undefined ? '' : ` (${found.label})`
  return `${name === '-' ? 'standard input' : name}${which}${label}`
}
