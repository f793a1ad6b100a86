/**
 * A strict reader for the XML of event bodies (XML 1.0, Namespaces in XML 1.0): UTF-8 only, no DTD, no entity but the
 * five of XML itself and characters by number, caps on everything. Each character is looked at a bounded number of times.
 */
import { xmlAttributesMax, xmlBytesMax, xmlDepthMax, xmlElementsMax } from '../../limits'

/** An element. */
export interface XmlElement {
  /** Local name. */
  readonly name: string
  /** Namespace; empty when it has none. */
  readonly namespace: string
  /** By local name; those of other namespaces as `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** The text directly in it, entities resolved; not trimmed. */
  readonly text: string
}

/** What came of reading. */
export type XmlResult =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly reason: string }

interface Open extends XmlElement {
  readonly qualified: string
  readonly scope: ReadonlyMap<string, string>
  readonly children: Open[]
  text: string
}

class XmlProblem extends Error {}

const namePart = /[\p{L}_][\p{L}\p{N}_.\-\u00b7]*(?::[\p{L}_][\p{L}\p{N}_.\-\u00b7]*)?/uy
const space = /[ \t\r\n]*/y
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
// What XML 1.0 §2.2 forbids.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/** Reads a document; never throws. */
export function readXml(bytes: Uint8Array): XmlResult {
  if (bytes.length > xmlBytesMax) return { ok: false, reason: 'too long' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { ok: false, reason: 'not UTF-8' }
  }
  if (forbidden.test(text)) return { ok: false, reason: 'control characters' }
  try {
    return { ok: true, root: new Reader(text).read() }
  } catch (error) {
    if (error instanceof XmlProblem) return { ok: false, reason: error.message }
    throw error
  }
}

class Reader {
  private at = 0
  private elements = 0
  private readonly open: Open[] = []
  private root: Open | undefined

  constructor(private readonly text: string) {}

  read(): XmlElement {
    const { text } = this
    while (this.at < text.length) {
      if (text[this.at] === '<') this.markup()
      else this.characters()
    }
    if (this.open.length > 0 || this.root === undefined) throw new XmlProblem('ends too soon')
    return this.root
  }

  private markup(): void {
    const { text, at } = this
    const next = text[at + 1]
    if (next === '/') this.closeTag()
    else if (next === '?') this.skipPast('?>', 2)
    else if (text.startsWith('<!--', at)) this.skipPast('-->', 4)
    else if (text.startsWith('<![CDATA[', at)) {
      const start = at + 9
      this.skipPast(']]>', 9)
      this.addText(text.slice(start, this.at - 3))
    } else if (next === '!') throw new XmlProblem('document type')
    else this.openTag()
  }

  private characters(): void {
    const { text, at } = this
    const end = text.indexOf('<', at)
    this.at = end < 0 ? text.length : end
    this.addText(resolved(text.slice(at, this.at)))
  }

  private addText(text: string): void {
    const top = this.open.at(-1)
    if (top !== undefined) top.text += text
    else if (text.trim() !== '' && text !== '\ufeff') throw new XmlProblem('text outside of the document')
  }

  private skipPast(mark: string, from: number): void {
    const end = this.text.indexOf(mark, this.at + from)
    if (end < 0) throw new XmlProblem('ends too soon')
    this.at = end + mark.length
  }

  private openTag(): void {
    const { text, open } = this
    this.at += 1
    const qualified = this.name()
    const attributes = new Map<string, string>()
    for (;;) {
      const hadSpace = this.spaces()
      const char = text[this.at]
      if (char === '>' || char === '/') break
      if (!hadSpace) throw new XmlProblem('a tag is broken')
      const name = this.name()
      this.spaces()
      if (text[this.at] !== '=') throw new XmlProblem('an attribute has no value')
      this.at += 1
      this.spaces()
      const quote = text[this.at]
      if (quote !== '"' && quote !== "'") throw new XmlProblem('an attribute has no quotes')
      const end = text.indexOf(quote, this.at + 1)
      const value = text.slice(this.at + 1, end)
      if (end < 0 || value.includes('<')) throw new XmlProblem('an attribute has no end')
      if (attributes.has(name)) throw new XmlProblem('an attribute comes twice')
      if (attributes.size >= xmlAttributesMax) throw new XmlProblem('too many attributes')
      attributes.set(name, resolved(value))
      this.at = end + 1
    }
    const isEmpty = text[this.at] === '/'
    if (isEmpty) this.at += 1
    if (text[this.at] !== '>') throw new XmlProblem('a tag is broken')
    this.at += 1
    this.elements += 1
    if (this.elements > xmlElementsMax) throw new XmlProblem('too many elements')
    if (open.length >= xmlDepthMax) throw new XmlProblem('too deep')
    const element = elementOf(qualified, attributes, open.at(-1)?.scope)
    const parent = open.at(-1)
    if (parent !== undefined) parent.children.push(element)
    else if (this.root !== undefined) throw new XmlProblem('two documents')
    else this.root = element
    if (!isEmpty) open.push(element)
  }

  private closeTag(): void {
    this.at += 2
    const name = this.name()
    this.spaces()
    if (this.text[this.at] !== '>' || this.open.pop()?.qualified !== name) throw new XmlProblem('tags do not match')
    this.at += 1
  }

  private name(): string {
    namePart.lastIndex = this.at
    const name = namePart.exec(this.text)?.[0]
    if (name === undefined) throw new XmlProblem('a name is missing')
    this.at += name.length
    return name
  }

  private spaces(): boolean {
    space.lastIndex = this.at
    const { length } = space.exec(this.text)![0]
    this.at += length
    return length > 0
  }
}

/** Resolves the prefixes of a tag. */
function elementOf(
  qualified: string,
  raw: ReadonlyMap<string, string>,
  outer: ReadonlyMap<string, string> | undefined,
): Open {
  let scope = outer ?? new Map([['xml', xmlNamespace]])
  for (const [name, value] of raw) {
    const prefix = name === 'xmlns' ? '' : name.startsWith('xmlns:') ? name.slice(6) : undefined
    if (prefix === undefined) continue
    // What declares nothing shares the scope around it.
    if (scope === outer || outer === undefined) scope = new Map(scope)
    ;(scope as Map<string, string>).set(prefix, value)
    if (scope.size > xmlAttributesMax) throw new XmlProblem('too many namespaces')
  }
  const attributes = new Map<string, string>()
  for (const [name, value] of raw) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue
    const colon = name.indexOf(':')
    attributes.set(colon < 0 ? name : `{${namespaceOf(scope, name.slice(0, colon))}}${name.slice(colon + 1)}`, value)
  }
  const colon = qualified.indexOf(':')
  const namespace = colon < 0 ? (scope.get('') ?? '') : namespaceOf(scope, qualified.slice(0, colon))
  return { name: qualified.slice(colon + 1), namespace, attributes, children: [], text: '', qualified, scope }
}

function namespaceOf(scope: ReadonlyMap<string, string>, prefix: string): string {
  const namespace = scope.get(prefix)
  if (namespace === undefined) throw new XmlProblem('a prefix is not declared')
  return namespace
}

/** Text with its references resolved (XML 1.0 §4.1). */
function resolved(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7});|#x([0-9a-f]{1,6});|([a-z]{2,4});)?/gi, (_all, decimal, hex, name) => {
    if (name !== undefined) {
      const known = entities[name as string]
      if (known === undefined) throw new XmlProblem('an entity is not known')
      return known
    }
    if (decimal === undefined && hex === undefined) throw new XmlProblem('an ampersand stands alone')
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal)
    if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) throw new XmlProblem('a character is none')
    const char = String.fromCodePoint(code)
    if (forbidden.test(char)) throw new XmlProblem('a character is none')
    return char
  })
}

/** The first child of that local name, of the element's own namespace or any. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name)
}

/** The children of that local name. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name)
}

/** The trimmed text of a child; undefined when there is no such child. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return childOf(element, name)?.text.trim()
}

/** A whole number of at most nine digits; undefined for anything else. */
export function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined
}
