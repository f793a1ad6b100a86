import { describe, expect, it } from 'vitest'
import { readXml, type XmlElement } from './read'
import { xml, xmlDocument, xmlOf } from './write'

const read = (text: string) => readXml(Buffer.from(text))
const root = (text: string): XmlElement => {
  const result = read(text)
  if (!result.ok) throw new Error(result.reason)
  return result.root
}

describe('readXml', () => {
  it('reads elements, attributes, text, CDATA and namespaces', () => {
    const element = root(
      `\ufeff<?xml version="1.0"?><!-- c --><p:a xmlns:p="urn:p" xmlns="urn:d" x='1 &lt; 2' p:y="&#65;&#x42;">t&amp;<b/><![CDATA[<&]]> <p:c>é</p:c></p:a>\n`,
    )
    expect([element.name, element.namespace, element.text]).toEqual(['a', 'urn:p', 't&<& '])
    expect([...element.attributes]).toEqual([
      ['x', '1 < 2'],
      ['{urn:p}y', 'AB'],
    ])
    expect(element.children.map(({ name, namespace, text }) => [name, namespace, text])).toEqual([
      ['b', 'urn:d', ''],
      ['c', 'urn:p', 'é'],
    ])
  })

  it('a declaration holds inside its element only', () => {
    const element = root('<a xmlns="urn:1"><b xmlns="urn:2"><c/></b><d/></a>')
    expect(element.children[0]!.children[0]!.namespace).toBe('urn:2')
    expect(element.children[1]!.namespace).toBe('urn:1')
    expect(element.namespace).toBe('urn:1')
  })

  it.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'document type'],
    ['an entity of its own', '<a>&x1;</a>', 'an ampersand stands alone'],
    ['an unknown entity', '<a>&nbsp;</a>', 'an entity is not known'],
    ['a character that is none', '<a>&#xD800;</a>', 'a character is none'],
    ['a NUL by number', '<a>&#0;</a>', 'a character is none'],
    ['a NUL', '<a>\u0000</a>', 'control characters'],
    ['an end too soon', '<a><b>', 'ends too soon'],
    ['nothing', '', 'ends too soon'],
    ['an open comment', '<a><!-- ', 'ends too soon'],
    ['tags that do not match', '<a></b>', 'tags do not match'],
    ['an end without a beginning', '</a>', 'tags do not match'],
    ['two documents', '<a/><b/>', 'two documents'],
    ['text before it', 'x<a/>', 'text outside of the document'],
    ['an attribute twice', '<a x="1" x="2"/>', 'an attribute comes twice'],
    ['attributes without space', '<a x="1"y="2"/>', 'a tag is broken'],
    ['an attribute without quotes', '<a x=1/>', 'an attribute has no quotes'],
    ['an attribute without end', '<a x="1>', 'an attribute has no end'],
    ['a prefix not declared', '<p:a/>', 'a prefix is not declared'],
    ['a name missing', '< a/>', 'a name is missing'],
    ['a slash alone', '<a / >', 'a tag is broken'],
  ])('refuses %s', (_what, text, reason) => {
    expect(read(text)).toEqual({ ok: false, reason })
  })

  it('refuses what is not UTF-8', () => {
    expect(readXml(Uint8Array.of(0x3c, 0xff, 0x3e))).toEqual({ ok: false, reason: 'not UTF-8' })
    expect(readXml(Buffer.from('<a/>', 'utf16le')).ok).toBe(false)
  })

  it('has a cap on length, depth, elements and attributes', () => {
    expect(read(`<a>${' '.repeat(140_000)}</a>`)).toMatchObject({ reason: 'too long' })
    expect(read('<a>'.repeat(30_000))).toMatchObject({ reason: 'too deep' })
    expect(read(`<a>${'<b/>'.repeat(9_000)}</a>`)).toMatchObject({ reason: 'too many elements' })
    const attributes = Array.from({ length: 100 }, (_each, index) => `a${index}="1"`).join(' ')
    expect(read(`<a ${attributes}/>`)).toMatchObject({ reason: 'too many attributes' })
    const scopes = Array.from(
      { length: 20 },
      (_each, depth) => `<a ${Array.from({ length: 60 }, (_one, index) => `xmlns:n${depth}x${index}="u"`).join(' ')}>`,
    )
    expect(read(scopes.join(''))).toMatchObject({ reason: 'too many namespaces' })
  })

  it('takes a time that grows with the length and no faster', () => {
    const hostile = ['<', '<a ', '&', '<!--', '<![CDATA[', "<a b='", '<a xmlns="u">', '<?', 'x="', '&#', ']]>', '<a\n']
    const timeOf = (part: string, count: number) => {
      const bytes = Buffer.from(part.repeat(count))
      const start = process.cpuUsage()
      for (let run = 0; run < 10; run += 1) readXml(bytes)
      const { user, system } = process.cpuUsage(start)
      return user + system
    }
    for (const part of hostile) {
      const count = Math.floor(120_000 / part.length)
      timeOf(part, count)
      expect(timeOf(part, count), part).toBeLessThan(1_000_000)
    }
  })
})

describe('xmlDocument', () => {
  it('writes what is read back as it was', () => {
    const hard = `a<b>&"'\r\n\té€😀`
    const document = xmlDocument(
      xml('a', { xmlns: 'urn:d', x: hard, y: undefined, z: 1 }, [hard, xmlOf('b', undefined), xml('c')]),
    )
    const element = root(document)
    expect([element.attributes.get('x'), element.attributes.get('z'), element.text]).toEqual([hard, '1', hard])
    expect(element.children.map(({ name }) => name)).toEqual(['c'])
  })

  it('leaves out what XML cannot hold', () => {
    expect(root(xmlDocument(xml('a', {}, ['x\u0000\u000by\ud800z']))).text).toBe('xyz')
  })
})
