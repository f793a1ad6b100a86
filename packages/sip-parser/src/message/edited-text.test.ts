/**
 * Edited messages against a model that keeps whole lines in an array: random edits of random messages give the same bytes,
 * whether they are written before anybody reads the message or after, and an index as a parser makes it.
 */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { headerIdOf } from '../headers/recognise'
import { SeededGenerator } from '../testing/index'
import { elementEnd } from './header-list'
import { SipRequest, SipResponse } from './message'
import { parseMessage } from './parse'

const random = new SeededGenerator(20_261_122)
const names = ['Via', 'v', 'Route', 'Record-Route', 'Max-Forwards', 'X-Odd', 'x-odd', 'Content-Length', 'Subject', 's']
const values = [
  '',
  '1',
  'a,b , "c,d"',
  `<sip:x;lr>${' '.repeat(3)}, y`,
  'v'.repeat(40),
  'two\r\n words',
  ' \t padded \t',
]
const separators = [':', ': ', ' :\t', `:${' '.repeat(5000)}`, `${' '.repeat(5000)}: `]

function pick<T>(choices: readonly T[]): T {
  return choices[random.below(choices.length)]!
}

/** A header line of the model: as it stands on the wire, without its line end. */
interface Line {
  readonly name: string
  readonly wire: string
}

function lineOf(name: string, value: string, separator = ': '): Line {
  return { name, wire: `${name}${separator}${value}` }
}

function isSame(one: string, other: string): boolean {
  const id = headerIdOf(one)
  return id === 0 ? one.toLowerCase() === other.toLowerCase() : id === headerIdOf(other)
}

/** What follows the separator: unfolded and trimmed. */
function plainValue({ wire }: Line): string {
  return wire
    .slice(wire.indexOf(':') + 1)
    .replace(/[ \t]*\r\n[ \t]+/g, ' ')
    .trim()
}

/** The plain way to edit. */
class Model {
  constructor(
    public startLine: string,
    public lines: Line[],
    public body: string,
  ) {}

  get text(): string {
    return [this.startLine, ...this.lines.map(({ wire }) => wire), '', this.body].join('\r\n')
  }

  first(name: string): number {
    return this.lines.findIndex((line) => isSame(line.name, name))
  }

  last(name: string): number {
    return this.lines.findLastIndex((line) => isSame(line.name, name))
  }

  insert(at: number, line: Line): void {
    this.lines.splice(at, 0, line)
  }

  set(name: string, value: string): void {
    const at = this.first(name)
    if (at < 0) {
      this.lines.push(lineOf(name, value))
      return
    }
    this.lines = this.lines.filter((line, place) => place === at || !isSame(line.name, name))
    this.lines[at] = lineOf(name, value)
  }

  changeFirst(name: string, change: (value: string, stop: number) => string): void {
    const at = this.first(name)
    if (at < 0) return
    const old = this.lines[at]!
    const value = plainValue(old)
    const changed = change(value, elementEnd(value, 0, value.length))
    if (changed === '') this.lines.splice(at, 1)
    else this.lines[at] = lineOf(old.name, changed)
  }
}

type Editor = ReturnType<SipRequest['edit']>

/** One random change, made to both. */
function change(editor: Editor, model: Model): void {
  const name = pick(names)
  const value = pick(['7', 'w'.repeat(30), '"q,r" <sip:z>, t', 'short'])
  switch (random.below(9)) {
    case 0:
      editor.prepend(name, value)
      model.insert(Math.max(0, model.first(name)), lineOf(name, value))
      break
    case 1:
      editor.append(name, value)
      model.insert(model.last(name) < 0 ? model.lines.length : model.last(name) + 1, lineOf(name, value))
      break
    case 2:
      editor.set(name, value)
      model.set(name, value)
      break
    case 3:
      editor.replaceFirst(name, value)
      if (model.first(name) < 0) model.insert(0, lineOf(name, value))
      else model.changeFirst(name, (old, stop) => value + old.slice(stop))
      break
    case 4:
      editor.removeFirst(name)
      model.changeFirst(name, (old, stop) => old.slice(stop + 1).trim())
      break
    case 5:
      editor.remove(name)
      model.lines = model.lines.filter((line) => !isSame(line.name, name))
      break
    case 6: {
      const uri = pick(['sip:b', 'sip:someone.with.a.long.name@host.example.com;transport=tcp'])
      editor.setUri(uri)
      model.startLine = `${model.startLine.split(' ')[0]} ${uri} SIP/2.0`
      break
    }
    case 7: {
      const method = pick(['UPDATE', 'X'])
      editor.setMethod(method)
      model.startLine = `${method}${model.startLine.slice(model.startLine.indexOf(' '))}`
      break
    }
    default:
      if (random.below(4) > 0) return
      model.body = pick(['', 'new', '\xe9'.repeat(3000)])
      editor.setBody(Buffer.from(model.body, 'latin1'))
      if (model.body === '') model.lines = model.lines.filter((line) => !isSame(line.name, 'Content-Type'))
      model.set('Content-Length', String(model.body.length))
  }
}

function randomModel(): Model {
  const lines: Line[] = []
  let hasLength = false
  for (let count = random.below(9); count > 0; count -= 1) {
    const name = pick(names)
    if (name === 'Content-Length' && hasLength) continue
    hasLength ||= name === 'Content-Length'
    lines.push(lineOf(name, name === 'Content-Length' ? '4' : pick(values), pick(separators)))
  }
  return new Model('INVITE sip:a SIP/2.0', lines, 'body')
}

function requestOf(text: string): SipRequest {
  const result = parseMessage(Buffer.from(text, 'latin1'), { limits: { headBytesMax: 1 << 20 } })
  if (!(result.message instanceof SipRequest)) throw new Error(JSON.stringify(result))
  return result.message
}

/** Content-Length may say anything after an edit, so the index alone is compared. */
function expectWhole(message: SipRequest, text: string): void {
  const head = text.slice(0, text.indexOf('\r\n\r\n') + 4)
  const again = requestOf(head.replace(/\r\n(content-length|l)[ \t]*:[^\r]*/gi, (line) => line.replace(/[0-9]/g, '0')))
  expect([...message.index]).toEqual([...again.index])
  expect([message.startLineEnd, message.bodyStart, message.bodyLength]).toEqual([
    again.startLineEnd,
    head.length,
    text.length - head.length,
  ])
  expect([message.method, message.uri.toString()]).toEqual([again.method, again.uri.toString()])
  expect([...message.headers()]).toHaveLength(message.index.length / 3)
}

describe('edited messages', () => {
  it('are what whole lines put together give, however they are asked', () => {
    for (let round = 0; round < 1500; round += 1) {
      const model = randomModel()
      const editor = requestOf(model.text).edit()
      for (let count = random.below(7); count > 0; count -= 1) change(editor, model)
      const [written, read] = [editor.build(), editor.build()]
      const { text } = model
      expect(written.toBytes().toString('latin1')).toBe(text)
      expect(written.toBytes().equals(written.toBytes())).toBe(true)
      expect(read.text).toBe(text)
      expect(read.toBytes().toString('latin1')).toBe(text)
      expectWhole(round % 2 === 0 ? written : read, text)
    }
  })

  it('stay as they are when the editor goes on, and can be edited before they are read', () => {
    for (let round = 0; round < 300; round += 1) {
      const model = randomModel()
      let editor = requestOf(model.text).edit()
      const built: [SipRequest, string][] = []
      for (let count = 0; count < 6; count += 1) {
        change(editor, model)
        const message = editor.build()
        built.push([message, model.text])
        if (random.below(2) === 0) editor = message.edit()
      }
      for (const [message, text] of built) expect(message.toBytes().toString('latin1')).toBe(text)
      for (const [message, text] of built) expectWhole(message, text)
    }
  })

  it('keep line ends without CR and lines that are no headers, as a refused message has them', () => {
    const text = 'INVITE sip:a SIP/2.0\r\nTo: x\nno header\r\nVia: y\r\nS: z\n\r\nbody'
    const refused = requestOf(text)
    expect(refused.edit().build().toBytes().toString('latin1')).toBe(text)
    const edited = refused.edit().prepend('Via', 'new').remove('S').build()
    const expected = 'INVITE sip:a SIP/2.0\r\nTo: x\nno header\r\nVia: new\r\nVia: y\r\n\r\nbody'
    expect(edited.toBytes().toString('latin1')).toBe(expected)
    expect(edited.text).toBe(expected)
  })

  it('work for responses and for messages without headers', () => {
    const bare = parseMessage(Buffer.from('SIP/2.0 200 OK\r\n\r\n'))
    if (!bare.ok || !(bare.message instanceof SipResponse)) throw new Error('parse')
    expect(bare.message.edit().build().toBytes().toString()).toBe('SIP/2.0 200 OK\r\n\r\n')
    const edited = bare.message.edit().setStatus(404).append('X', 1).build()
    expect([edited.status, edited.toBytes().toString()]).toEqual([404, 'SIP/2.0 404 Not Found\r\nX: 1\r\n\r\n'])
    expect([edited.get('X'), edited.edit().remove('x').build().toString()]).toEqual([
      '1',
      'SIP/2.0 404 Not Found\r\n\r\n',
    ])
  })
})
