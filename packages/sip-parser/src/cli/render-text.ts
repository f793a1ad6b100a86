/** The report as text for a terminal: the message with a caret under each problem, then what was decoded. */
import { caretLine, columnsOf, visible, visibleText } from '../message/excerpt'
import { decodedHeaders } from './decoded'
import { decisive, type MessageReport, type PlacedProblem } from './report'
import type { Paint } from './screen'
import { summarizeSdp } from './sdp-summary'

/** Columns of a line with a caret when nobody says how wide the screen is. */
const USUAL_WIDTH = 160
/** A narrower screen has to wrap. */
const LEAST_WIDTH = 40

/** One message's report. `title` says which message of which file it is; `columns` how wide the screen is. */
export function renderReport(
  report: MessageReport,
  title: string,
  isQuiet: boolean,
  paint: Paint,
  columns: number = USUAL_WIDTH,
): string {
  const lines = [paint('strong', visibleText(title)), verdictLine(report, paint)]
  for (const note of report.found.notes) lines.push(paint('dim', `note: ${note}`))
  if (report.unshownBytes > 0) lines.push(paint('dim', `note: the last ${report.unshownBytes} bytes are not shown`))
  lines.push('')
  // One by one: a spread of many thousand lines would not fit on the stack.
  for (const line of listing(report, isQuiet, columns, paint)) lines.push(line)
  if (!isQuiet) lines.push(...decodedLines(report, paint), ...sessionLines(report, paint))
  return `${lines.join('\n')}\n`
}

function verdictLine(report: MessageReport, paint: Paint): string {
  const remarks = report.problems.filter(({ weight }) => weight === 'remark').length
  const aside = remarks === 0 ? '' : `, but for ${remarks === 1 ? '1 attribute' : `${remarks} attributes`} of its body`
  if (report.verdict === 'good') return paint('good', `good: nothing is wrong with it${aside}`)
  const length = report.problems.length - remarks
  const count = length === 1 ? '1 problem' : `${length} problems`
  const what = report.verdict === 'bad' ? 'bad' : 'well formed, but a server will refuse it'
  const problem = decisive(report)
  const end = problem === undefined ? '' : `; ${answerText(problem.suggestedStatus)}`
  return paint(report.verdict === 'bad' ? 'bad' : 'warn', `${what}: ${count}${end}`)
}

function answerText(status: number | 'drop'): string {
  return status === 'drop' ? 'to be dropped' : `to be answered with ${status}`
}

function listing(report: MessageReport, isQuiet: boolean, columns: number, paint: Paint): string[] {
  const gutter = String(report.lines.length).length
  // Two columns are for the marks of a line that is cut.
  const width = Math.max(columns - gutter - 5, LEAST_WIDTH)
  const byLine = new Map<number, PlacedProblem[]>()
  for (const placed of report.problems) {
    const others = byLine.get(placed.line)
    if (others === undefined) byLine.set(placed.line, [placed])
    else others.push(placed)
  }
  const lines: string[] = []
  for (const [index, line] of report.lines.entries()) {
    const number = index + 1
    const problems = byLine.get(number) ?? []
    const label = paint('dim', `${String(number).padStart(gutter)} | `)
    const isShown = !isQuiet || problems.length > 0
    const text = isShown ? visible(line) : ''
    if (isShown && (problems.length === 0 || columnsOf(text) <= width)) {
      lines.push(label + paintLine(text, number, report.bodyLine, paint))
    }
    for (const [at, placed] of problems.entries()) {
      // What is said of one place stands under one caret.
      const isNewPlace = placed.column !== problems[at - 1]?.column
      pushProblem(lines, line, placed, { gutter, width, isNewPlace }, paint)
    }
  }
  return lines
}

function paintLine(text: string, number: number, bodyLine: number, paint: Paint): string {
  if (number === 1) return paint('strong', text)
  if (number >= bodyLine) return text
  const colon = text.indexOf(':')
  return colon <= 0 || text.startsWith(' ') ? text : paint('name', text.slice(0, colon)) + text.slice(colon)
}

function pushProblem(
  lines: string[],
  line: Uint8Array,
  placed: PlacedProblem,
  { gutter, width, isNewPlace }: { readonly gutter: number; readonly width: number; readonly isNewPlace: boolean },
  paint: Paint,
): void {
  const { problem, weight, column, line: number } = placed
  const style = weight === 'problem' ? 'bad' : 'warn'
  const answer = weight === 'remark' ? 'readers leave it aside' : answerText(problem.suggestedStatus)
  const cut = caretLine(line, column, width)
  const margin = paint('dim', `${' '.repeat(gutter)} | `)
  if (isNewPlace && cut.isCut) {
    lines.push(paint('dim', `${String(number).padStart(gutter)} | `) + cut.text)
  }
  const header = problem.header === undefined ? '' : `${problem.header}: `
  if (isNewPlace) lines.push(`${margin}${' '.repeat(cut.column)}${paint(style, '^')}`)
  lines.push(
    `${margin}${paint(style, problem.code)} ${header}${problem.sentence}`,
    `${margin}${paint('dim', `${problem.layer}, line ${number}, byte ${problem.offset}; ${answer}`)}`,
  )
}

function decodedLines({ message }: MessageReport, paint: Paint): string[] {
  if (message === undefined) return []
  const decoded = decodedHeaders(message)
  if (decoded.length === 0) return []
  const width = Math.max(...decoded.map(({ name }) => name.length))
  const lines = ['', paint('strong', 'decoded')]
  for (const { name, values } of decoded) {
    for (const [index, value] of values.entries()) {
      lines.push(`  ${paint('name', (index === 0 ? name : '').padEnd(width))}  ${visibleText(value)}`)
    }
  }
  return lines
}

function sessionLines({ sessions }: MessageReport, paint: Paint): string[] {
  const lines: string[] = []
  for (const sdp of sessions) {
    lines.push('', paint('strong', 'session description'))
    for (const { media, protocol, address, direction, codecs, details } of summarizeSdp(sdp)) {
      lines.push(visibleText(`  ${media} ${protocol} ${address}${address === 'refused' ? '' : ` ${direction}`}`))
      for (const text of [...codecs, ...details]) lines.push(visibleText(`    ${text}`))
    }
  }
  return lines
}
