/** What RFC 4475 and RFC 5118 ask of a strict parser, read from the conformance folder, and the choices it leaves open. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from '../../support/repository'

/** One row of `expect.json`. */
export interface Expectation {
  readonly set: 'rfc4475' | 'rfc5118'
  readonly file: string
  readonly section: string | null
  readonly title?: string
  readonly strictParser: 'accept' | 'reject' | 'either'
  readonly layer?: string
  readonly expected?: string
  readonly check: string
}

/** The folder with the messages: CARILLON_CONFORMANCE_DIR, or beside the repository. */
export const folder = resolve(root, process.env.CARILLON_CONFORMANCE_DIR ?? '../shared/conformance')

/** Whether the messages are at hand. */
export const isPresent = existsSync(join(folder, 'rfc4475', 'expect.json'))

/** Whether their absence is a failure: somebody has said where they are, or counts on them. */
export const isRequired = process.env.CI === 'true' || process.env.CARILLON_CONFORMANCE_DIR !== undefined

/** Every row of both sets; none when the folder is absent. */
export const expectations: readonly Expectation[] = [...load('rfc4475'), ...load('rfc5118')]

/** The 49 and 12 messages that a section of an RFC describes. */
export const described: readonly Expectation[] = expectations.filter(({ section }) => section !== null)

/** The bytes of one message. */
export function messageBytes(set: string, file: string): Buffer {
  return readFileSync(join(folder, set, file))
}

/** The verdicts of `expect.json` that say nothing about the grammar: what they refuse, a parser may leave to its user. */
export function isSemantic({ layer }: Expectation): boolean {
  return layer !== undefined && !['parse', 'framing', 'header-value'].includes(layer)
}

/** The layers of this parser that stand for a layer of `expect.json`; RFC 5118 has no layers, its one refusal is a URI. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  parse: ['start-line', 'header-syntax'],
  framing: ['framing'],
  'header-value': ['header-value'],
  semantic: ['semantic'],
  application: ['semantic'],
  none: ['start-line'],
}

/** What is to be answered to a message that is to be refused: statuses, or to drop it. The first is the better one. */
export function statusesOf({ set, expected, check }: Expectation): (number | 'drop')[] {
  const text = set === 'rfc5118' ? check : (expected ?? '')
  const first = /^(\d{3}|drop|discard)/.exec(text)?.[1]
  if (first === undefined) return []
  const second = /^drop\/(\d{3})/.exec(text)?.[1]
  const statuses = [/^\d/.test(first) ? Number(first) : ('drop' as const)]
  return second === undefined ? statuses : [...statuses, Number(second)]
}

/** What this parser does where a strict one may do either. */
export interface Choice {
  /** The problem that is reported. */
  readonly code: string
  /** The switch of the tolerant preset that accepts the message; undefined where none does. */
  readonly leniency?: string
  readonly why: string
}

/** The messages that may be accepted or refused, with the choice made and why. */
export const choices: Readonly<Record<string, Choice>> = {
  'lwsstart.dat': {
    code: 'START_LINE_SPACES',
    leniency: 'startLineSpaces',
    why: 'Two parsers that disagree about where a request line splits can be played against each other. With the switch the line is rewritten with single spaces, so they are never forwarded.',
  },
  'trws.dat': {
    code: 'START_LINE_SPACES',
    leniency: 'startLineSpaces',
    why: 'As above, for spaces after the version.',
  },
  'escruri.dat': {
    code: 'REQUEST_URI_HEADERS',
    leniency: 'requestUriHeaders',
    why: 'Headers in a request URI are a way to smuggle a Route past a proxy. With the switch they are dropped: they are neither forwarded nor do they become headers.',
  },
  'baddate.dat': {
    code: 'DATE_INVALID',
    why: 'Decoding is lazy: `parseMessage` and `checkMandatory` accept the message, and only who reads Date gets the problem. `inspectMessage` reads everything, so it reports it.',
  },
  'regbadct.dat': {
    code: 'ADDRESS_NEEDS_BRACKETS',
    leniency: 'addressWithoutBrackets',
    why: 'Without angle brackets nothing says whether the question mark belongs to the URI or to the header, and a binding made of the wrong one sends calls astray. With the switch it belongs to the URI.',
  },
  'badaspec.dat': {
    code: 'ADDRESS_SPACE',
    leniency: 'spacesInAddress',
    why: 'A URI holds no space. With the switch spaces next to the brackets are left out of the URI.',
  },
  'baddn.dat': {
    code: 'HEAD_INCOMPLETE',
    why: 'The file in the archive of the RFC lacks its last line end, so the headers never end. With the line end there, the verdict is DISPLAY_NAME_INVALID: a comma outside quotes separates values. The switch `unquotedDisplayName` then accepts it, and the name is quoted when it is written.',
  },
}

function load(set: Expectation['set']): Expectation[] {
  if (!isPresent) return []
  const rows = JSON.parse(readFileSync(join(folder, set, 'expect.json'), 'utf8')) as Omit<Expectation, 'set'>[]
  return rows.map((row) => ({ set, ...row }))
}
