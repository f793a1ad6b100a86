/** The matrix: every message to every library, each outcome held against what the RFCs ask. */
import { tolerant } from '@carillon/sip-parser'
import { readWithCarillon, switchesFor } from './carillon'
import { choices, described, type Expectation, isSemantic, layers, messageBytes, statusesOf } from './expectations'
import { peers } from './peers'
import { wrongValues } from './probes'
import type { Outcome } from './reading'
import { runPeer } from './run-peer'

/** What a library did with one message. */
export type Act = 'accept' | 'reject' | 'broken' | 'crash' | 'hang'

/** One cell: what was done, whether it is right (undefined where either may be done), and what is to be said about it. */
export interface Cell {
  readonly act: Act
  readonly isRight: boolean | undefined
  readonly detail: string
}

/** One message. */
export interface Row {
  readonly expectation: Expectation
  readonly isSemantic: boolean
  readonly carillon: Cell
  readonly tolerant: Cell
  /** By name of the peer. */
  readonly peers: Readonly<Record<string, Cell>>
}

/** Runs everything. Throws when a peer is not installed. */
export async function buildMatrix(): Promise<Row[]> {
  const messages = described.map(({ set, file }) => messageBytes(set, file))
  const outcomes = await Promise.all(peers.map(({ name }) => runPeer(name, messages)))
  return described.map((expectation, index) => {
    const bytes = messages[index]!
    return {
      expectation,
      isSemantic: isSemantic(expectation),
      carillon: strictCell(expectation, bytes),
      tolerant: tolerantCell(expectation, bytes),
      peers: Object.fromEntries(peers.map(({ name }, at) => [name, judge(expectation, bytes, outcomes[at]![index]!)])),
    }
  })
}

/** How many cells are right, of how many decided. */
export function score(cells: readonly Cell[]): { right: number; decided: number } {
  const decided = cells.filter(({ isRight }) => isRight !== undefined)
  return { right: decided.filter(({ isRight }) => isRight).length, decided: decided.length }
}

/** The one line that a test run prints. */
export function totalsLine(rows: readonly Row[]): string {
  const columns = ['Carillon', ...peers.map(({ name }) => name)]
  const scores = columns.map((name) => {
    const { right, decided } = score(cellsOf(rows, name))
    return `${name} ${right}/${decided}`
  })
  const open = rows.filter(({ carillon }) => carillon.isRight === undefined).length
  return `torture matrix: ${scores.join(', ')} (${rows.length} messages, ${open} of them either way)`
}

/** One column. */
export function cellsOf(rows: readonly Row[], name: string): Cell[] {
  return rows.map((row) => (name === 'Carillon' ? row.carillon : row.peers[name]!))
}

/** The same verdict for every library: what it did, and whether a strict parser should have. */
export function judge({ file, strictParser }: Expectation, bytes: Uint8Array, outcome: Outcome): Cell {
  const isOpen = strictParser === 'either'
  if (outcome.kind !== 'read') {
    const act = outcome.kind === 'refused' ? 'reject' : outcome.kind
    const detail = outcome.kind === 'hang' ? '' : outcome.detail
    return { act, isRight: isOpen ? undefined : act === 'reject' && strictParser === 'reject', detail }
  }
  const wrong = strictParser === 'reject' ? [] : wrongValues(file, bytes, outcome.reading)
  const isAccepted = strictParser === 'accept' && wrong.length === 0
  return {
    act: wrong.length > 0 ? 'broken' : 'accept',
    isRight: isOpen ? undefined : isAccepted,
    detail: wrong.join('; '),
  }
}

/** This parser is asked for more: a refusal must come from the right layer, with the right status. */
function strictCell(expectation: Expectation, bytes: Uint8Array): Cell {
  const { outcome, problems } = readWithCarillon(bytes)
  const cell = judge(expectation, bytes, outcome)
  const choice = choices[expectation.file]
  const problem = problems.find(({ code }) => code === choice?.code) ?? problems[0]
  if (problem === undefined) return choice === undefined ? cell : { ...cell, isRight: false }
  const detail = `${problem.code} ${problem.suggestedStatus}`
  // Where either may be done, right is what has been chosen, and it counts for nothing.
  if (cell.isRight === undefined)
    return problem.code === choice?.code ? { ...cell, detail } : { ...cell, isRight: false, detail }
  const isLayerRight = layers[expectation.layer ?? 'none']?.includes(problem.layer) ?? false
  const isStatusRight = statusesOf(expectation).includes(problem.suggestedStatus)
  return { ...cell, isRight: cell.isRight && isLayerRight && isStatusRight, detail }
}

/** The tolerant preset departs from the RFCs on purpose, so it is not right or wrong: what it accepts is named. */
function tolerantCell(expectation: Expectation, bytes: Uint8Array): Cell {
  const { outcome } = readWithCarillon(bytes, tolerant)
  if (outcome.kind !== 'read') return { act: 'reject', isRight: undefined, detail: '' }
  const wrong = expectation.strictParser === 'reject' ? [] : wrongValues(expectation.file, bytes, outcome.reading)
  const detail = switchesFor(bytes).join(', ')
  return { act: wrong.length > 0 ? 'broken' : 'accept', isRight: undefined, detail }
}
