/**
 * Draws who sent what to whom as a ladder. Pure.
 */

/** One message between a phone and the server, as the phone saw it. */
export interface LadderStep {
  readonly atMs: number
  /** 0 for the phone on the left, 1 for the one on the right. */
  readonly phone: 0 | 1
  readonly direction: 'in' | 'out'
  /** The start line of the message. */
  readonly startLine: string
}

const GAP = 30

/** The lines of the ladder, the server in the middle. */
export function drawLadder(left: string, right: string, steps: readonly LadderStep[]): string[] {
  const head = `${' '.repeat(9)}${left}${' '.repeat(GAP - left.length)}server${' '.repeat(GAP - 6)}${right}`
  const sorted = [...steps].sort((a, b) => a.atMs - b.atMs)
  return [head, ...sorted.map(drawStep)]
}

function drawStep(step: LadderStep): string {
  const isToTheRight = (step.phone === 0) === (step.direction === 'out')
  const label = ` ${describe(step.startLine)} `
  const line = label
    .padStart(label.length + 2, '-')
    .padEnd(GAP - 3, '-')
    .slice(0, GAP - 3)
  const arrow = isToTheRight ? `${line}>` : `<${line}`
  const empty = ' '.repeat(GAP - 2)
  const cells = step.phone === 0 ? ['|', arrow, '|', empty, '|'] : ['|', empty, '|', arrow, '|']
  return `${step.atMs.toFixed(0).padStart(6)} ms ${cells.join(' ').trimEnd()}`
}

/** `INVITE sip:…` becomes `INVITE`, `SIP/2.0 200 OK` becomes `200 OK`. */
function describe(startLine: string): string {
  const text = startLine.startsWith('SIP/2.0 ') ? startLine.slice(8) : (startLine.split(' ', 1)[0] ?? '')
  return text.slice(0, GAP - 8)
}
