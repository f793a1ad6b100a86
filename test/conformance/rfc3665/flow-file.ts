/**
 * Reads call flows from Markdown. A flow has a table of participants, one of credentials where it needs them, and a
 * section for each message: `### F1 INVITE Alice -> Bob` with the message in a block, a line of the block being a line of
 * the message with CRLF. The headers are read a second time here, without the parser, so that a test can compare.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseMessage, type SipMessage } from '@carillon/sip-parser'

/** Who takes part in a flow. */
export interface Participant {
  readonly name: string
  readonly host: string
  readonly address: string
}

/** What a user knows. */
export interface Secret {
  readonly user: string
  readonly realm: string
  readonly password: string
}

/** One message of a flow. */
export interface FlowMessage {
  /** "F1" and so on. */
  readonly label: string
  /** What the heading calls it: a method, or a status and its reason. */
  readonly called: string
  readonly from: Participant
  readonly to: Participant
  readonly bytes: Buffer
  /** What the parser, strict, makes of it. */
  readonly message: SipMessage
  readonly plain: PlainMessage
}

/** A flow. */
export interface Flow {
  readonly name: string
  readonly participants: readonly Participant[]
  readonly secrets: readonly Secret[]
  readonly messages: readonly FlowMessage[]
}

/** The head of a message as lines, read without the parser. */
export interface PlainMessage {
  readonly startLine: string
  readonly body: string
  /** Values of a header, long names only, in order; folds undone, lists of addresses taken apart. */
  values(name: string): readonly string[]
  /** The only value of a header. */
  value(name: string): string
}

const folder = fileURLToPath(new URL('./flows/', import.meta.url))

/** Every flow, in the order of the RFC. */
export function readFlows(): readonly Flow[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
  return names.sort((one, other) => one.localeCompare(other, 'en', { numeric: true })).map(readFlow)
}

/** The flow with some text of one message replaced, which must be there. */
export function spoiled(flow: Flow, label: string, text: string, replacement: string): Flow {
  const file = readFileSync(`${folder}${flow.name}.md`, 'utf8')
  const start = file.indexOf(`### ${label} `)
  const at = file.indexOf(text, start)
  const end = file.indexOf('\n### ', start)
  if (start < 0 || at < 0 || (end >= 0 && at > end)) throw new Error(`${label} does not hold ${text}`)
  return flowOf(flow.name, file.slice(0, at) + replacement + file.slice(at + text.length))
}

function readFlow(name: string): Flow {
  return flowOf(name.replace(/\.md$/, ''), readFileSync(`${folder}${name}`, 'utf8'))
}

function flowOf(name: string, text: string): Flow {
  const participants = rows(text, 'Participants').map(([who = '', host = '', address = '']) => ({
    name: who,
    host,
    address,
  }))
  const secrets = rows(text, 'Credentials').map(([user = '', realm = '', password = '']) => ({ user, realm, password }))
  const sections = text.split(/^### /m).slice(1)
  const messages = sections.map((section) => readSection(section, participants))
  return { name, participants, secrets, messages }
}

function rows(text: string, heading: string): string[][] {
  const [, section = ''] = new RegExp(`^## ${heading}\\n([\\s\\S]*?)(?=^## )`, 'm').exec(text) ?? []
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

function readSection(section: string, participants: readonly Participant[]): FlowMessage {
  const [, label = '', left = '', right = ''] = /^(F\d+) (.+) -> (.+)$/m.exec(section) ?? []
  const from = participants.find(({ name }) => left.endsWith(` ${name}`))
  const to = participants.find(({ name }) => right === name)
  const [, block] = /^```sip\n([\s\S]*?)^```$/m.exec(section) ?? []
  if (from === undefined || to === undefined || block === undefined) throw new Error(`cannot read ${section}`)
  const bytes = Buffer.from(block.replaceAll('\n', '\r\n'), 'utf8')
  const result = parseMessage(bytes)
  if (!result.ok) throw new Error(`${label}: ${result.error.code} at ${result.error.offset}`)
  const called = left.slice(0, -from.name.length - 1)
  return { label, called, from, to, bytes, message: result.message, plain: readPlain(block) }
}

function readPlain(block: string): PlainMessage {
  const end = block.indexOf('\n\n')
  const [startLine = '', ...lines] = block
    .slice(0, end)
    .replace(/\n[ \t]+/g, ' ')
    .split('\n')
  const values = (name: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${name}: `))
      .flatMap((line) => line.slice(name.length + 2).split(/,\s*(?=<)/))
      .map((value) => value.replace(/ ;/g, ';'))
  const value = (name: string): string => {
    const [only, ...more] = values(name)
    if (only === undefined || more.length > 0) throw new Error(`${startLine}: ${name} is not there once`)
    return only
  }
  return { startLine, body: block.slice(end + 2), values, value }
}
