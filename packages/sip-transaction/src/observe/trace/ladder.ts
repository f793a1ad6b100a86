/** Draws messages between participants as a ladder of text. Pure. */
import type { TraceStep } from './dialog-trace'
import { printable } from './masked'
import { mediaLine } from './sdp-summary'

/** How a ladder is drawn. */
export interface LadderStyle {
  /** Columns of text to use, default 100. A ladder that needs more takes more. */
  readonly width?: number
  /** True for lines of ASCII characters alone. */
  readonly isAscii?: boolean
}

/** What is drawn. */
export interface LadderContent {
  readonly callIds: readonly string[]
  readonly omitted: number
  readonly participants: readonly string[]
  readonly steps: readonly TraceStep[]
}

const timeColumns = 11
const gapMin = 22
const gapMax = 70
const defaultWidth = 100

const boxes = { life: '│', line: '─', cross: '┼', right: '>', left: '<', lost: '×', more: '…' }
const ascii: typeof boxes = { life: '|', line: '-', cross: '+', right: '>', left: '<', lost: 'x', more: '~' }

/** What has become of a message that did not get through. */
const fates: Readonly<Record<TraceStep['fate'], string>> = {
  sent: '',
  lost: ' (lost)',
  cut: ' (cut off)',
  unconnected: ' (no connection)',
}

/** The ladder, lines ended by line feeds. */
export function drawLadder(content: LadderContent, style: LadderStyle): string {
  const pen = new Pen(content.participants, style)
  const lines = content.callIds.map((callId) => `Call-ID ${printable(callId)}`)
  if (content.omitted > 0) lines.push(`${content.omitted} earlier messages are forgotten`)
  lines.push('', pen.heading())
  for (const step of content.steps) lines.push(...pen.step(step))
  return `${lines.join('\n')}\n`
}

class Pen {
  private readonly marks: typeof boxes
  /** Where each participant's line of life is. */
  private readonly columns: ReadonlyMap<string, number>
  private readonly width: number
  private readonly gap: number

  constructor(
    private readonly names: readonly string[],
    style: LadderStyle,
  ) {
    this.marks = style.isAscii === true ? ascii : boxes
    const half = Math.ceil(Math.max(0, ...names.map(({ length }) => Math.min(length, gapMin - 2))) / 2)
    const room = (style.width ?? defaultWidth) - timeColumns - 2 * half
    this.gap = Math.min(gapMax, Math.max(gapMin, Math.floor(room / Math.max(1, names.length - 1))))
    this.columns = new Map(names.map((name, index) => [name, timeColumns + half + index * this.gap]))
    this.width = timeColumns + 2 * half + Math.max(1, names.length - 1) * this.gap
  }

  heading(): string {
    const row = new Array<string>(this.width).fill(' ')
    for (const name of this.names) {
      const text = this.cut(printable(name), this.gap - 2)
      put(row, Math.max(0, this.columnOf(name) - (text.length >> 1)), text)
    }
    return row.join('').trimEnd()
  }

  step(step: TraceStep): string[] {
    const [from, to] = [this.columnOf(step.from), this.columnOf(step.to)]
    const times = step.repetition === 0 ? '' : step.repetition === 1 ? ' (again)' : ` (again, ${step.repetition} times)`
    const labels = [`${labelOf(step)}${times}${fates[step.fate]}`]
    if (step.repetition === 0) labels.push(...(step.sdp ?? []).map(mediaLine))
    const left = Math.min(from, to)
    // Who writes to themselves has the room to their right.
    const room = (from === to ? this.gap : Math.abs(to - from)) - 3
    const rows = labels.map((label, index) => {
      const row = this.blank()
      put(row, left + 2, this.cut(printable(label), room))
      if (index === 0) put(row, 0, timeOf(step.atMs))
      return row.join('').trimEnd()
    })
    return [...rows, this.arrow(from, to, step.fate === 'sent')]
  }

  private arrow(from: number, to: number, isComplete: boolean): string {
    const row = this.blank()
    const { line, cross, right, left, lost, life } = this.marks
    const isToRight = to >= from
    const end = from === to ? from + 4 : to
    const head = isComplete ? end - (isToRight ? 1 : -1) : (from + end) >> 1
    const step = isToRight ? 1 : -1
    for (let at = from + step; at !== head; at += step) row[at] = row[at] === life ? cross : line
    row[head] = isComplete ? (from === to ? left : isToRight ? right : left) : lost
    return row.join('').trimEnd()
  }

  private blank(): string[] {
    const row = new Array<string>(this.width).fill(' ')
    for (const column of this.columns.values()) row[column] = this.marks.life
    return row
  }

  private columnOf(name: string): number {
    return this.columns.get(name) ?? timeColumns
  }

  private cut(text: string, room: number): string {
    return text.length <= room ? text : `${text.slice(0, room - 1)}${this.marks.more}`
  }
}

/** A response says what it answers, a request whether somebody shows who they are. */
function labelOf({ label, status, method, hasCredentials }: TraceStep): string {
  if (status !== undefined && method !== undefined) return `${label} (${method})`
  return hasCredentials ? `${label} with credentials` : label
}

/** Seconds with three decimals, right-aligned. */
function timeOf(atMs: number): string {
  return `${(atMs / 1000).toFixed(3)} `.padStart(timeColumns - 1)
}

function put(row: string[], at: number, text: string): void {
  for (let index = 0; index < text.length; index += 1) row[at + index] = text[index]!
}
