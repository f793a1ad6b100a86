import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { multipartDepthMax, multipartPartsMax, partHeaderBytesMax, partHeadersMax } from '../limits'
import { createRequest } from '../message/build'
import { findPart, findPartById, leafParts, partHeader, unsupportedPart } from './body-part'
import { buildMultipart } from './build-multipart'
import { ContentDisposition } from './content-disposition'
import { bodyOf, parseBody } from './multipart'

const MIXED = 'multipart/mixed;boundary="b 1"'

function parts(text: string, type = MIXED) {
  const result = parseBody(Buffer.from(text, 'latin1'), type)
  if (!result.ok) throw new Error(result.error.code)
  return result.value.parts.map((part) => [part.contentType.essence, Buffer.from(part.bytes).toString('latin1')])
}

function problemOf(text: string, type = MIXED) {
  const result = parseBody(Buffer.from(text, 'latin1'), type)
  return result.ok ? undefined : [result.error.code, result.error.offset]
}

describe('multipart bodies', () => {
  it('RFC 2046 §5.1.1: parts between boundaries, with preamble, padding, epilogue and bytes of any kind', () => {
    const text =
      'preamble\r\n--b 1 \t\r\nContent-Type: Application/SDP\r\n\r\nv=0\r\n\r\n--b 1\r\n\r\n\0\xff--b 1\r\n--b 1x\r\n--b 1--  \r\nepilogue --b 1'
    expect(parts(text)).toEqual([
      ['application/sdp', 'v=0\r\n'],
      ['text/plain', '\0\xff--b 1\r\n--b 1x'],
    ])
  })

  it('RFC 2046 §5.1: empty parts, parts of headers alone, no line end at the end', () => {
    expect(parts('--b 1\r\n--b 1\r\nContent-Type: a/b\r\n\r\n--b 1\r\nX: y\r\n\r\n\r\n--b 1--')).toEqual([
      ['text/plain', ''],
      ['a/b', ''],
      ['text/plain', ''],
    ])
    expect(parts('--d\r\n\r\nx\r\n--d--', 'multipart/digest;boundary=d')).toEqual([['message/rfc822', 'x']])
  })

  it('gives views of the body and their place in it', () => {
    const body = Buffer.from('--b\r\nA: b\r\n c\r\ncontent-id: <1@x>\r\n\r\nhello\r\n--b--')
    const result = parseBody(body, 'multipart/mixed;boundary=b')
    const part = result.ok ? result.value.parts[0] : undefined
    expect(part?.bytes.buffer).toBe(body.buffer)
    expect(body.subarray(part!.offset).toString()).toMatch(/^hello/)
    expect(partHeader(part!, 'a')).toBe('b c')
    expect(result.ok && findPartById(result.value, '1@x')).toBe(part)
  })

  it('RFC 5621 §3.1: nested, and not confused by an outer boundary that begins like an inner one', () => {
    const inner = '--b2\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b2\r\n\r\ntext\r\n--b2--'
    const result = parseBody(
      Buffer.from(
        `--b\r\nContent-Type: multipart/alternative;boundary=b2\r\n\r\n${inner}\r\n--b\r\n\r\nlast\r\n--b--\r\n`,
      ),
      'multipart/mixed;boundary=b',
    )
    const leaves = result.ok ? leafParts(result.value).map((part) => Buffer.from(part.bytes).toString()) : []
    expect(leaves).toEqual(['v=0', 'text', 'last'])
    expect(result.ok && findPart(result.value, 'application/sdp')?.disposition.type).toBe('session')
  })

  it.each([
    ['MULTIPART_BOUNDARY_MISSING', 0, '--b--', 'multipart/mixed'],
    ['MULTIPART_BOUNDARY_INVALID', 0, '--b--', 'multipart/mixed;boundary="b "'],
    ['MULTIPART_BOUNDARY_INVALID', 0, '--b--', `multipart/mixed;boundary=${'b'.repeat(71)}`],
    ['MULTIPART_BOUNDARY_INVALID', 0, '--b--', 'multipart/mixed;boundary=""'],
    ['MULTIPART_NO_PART', 0, '', MIXED],
    ['MULTIPART_NO_PART', 4, 'text', MIXED],
    ['MULTIPART_NO_PART', 0, '--b 1--\r\n', MIXED],
    ['MULTIPART_NOT_CLOSED', 14, '--b 1\r\n\r\ntext\n', MIXED],
    ['MULTIPART_NOT_CLOSED', 21, '--b 1\r\n\r\ntext\n--b 1--', MIXED],
    ['MULTIPART_HEADER_INVALID', 7, '--b 1\r\ntext\r\n--b 1--', MIXED],
    ['MULTIPART_HEADER_INVALID', 7, '--b 1\r\n: x\r\n\r\n\r\n--b 1--', MIXED],
    ['MULTIPART_HEADER_INVALID', 7, '--b 1\r\n fold\r\n\r\n\r\n--b 1--', MIXED],
    ['MULTIPART_HEADER_INVALID', 7, '--b 1\r\nA: b\n\r\n\r\n--b 1--', MIXED],
    ['MULTIPART_CONTENT_TYPE_INVALID', 7, '--b 1\r\nContent-Type: x\r\n\r\n\r\n--b 1--', MIXED],
    ['MULTIPART_DISPOSITION_INVALID', 7, '--b 1\r\nContent-Disposition: ;\r\n\r\n\r\n--b 1--', MIXED],
  ])('are refused with %s at %d', (code, offset, text, type) => {
    expect(problemOf(text, type)).toEqual([code, offset])
  })

  it('with bare line feeds are read only when that is tolerated', () => {
    const body = Buffer.from('--b\nContent-Type: a/b\n\nx\n--b--\n')
    expect(parseBody(body, 'multipart/mixed;boundary=b').ok).toBe(false)
    const result = parseBody(body, 'multipart/mixed;boundary=b', { leniency: { bareLf: true } })
    expect(result.ok && Buffer.from(result.value.parts[0]!.bytes).toString()).toBe('x')
  })

  it('keep their limits', () => {
    const many = `${'--b 1\r\n\r\n\r\n'.repeat(multipartPartsMax + 1)}--b 1--`
    expect(problemOf(many)?.[0]).toBe('MULTIPART_TOO_MANY_PARTS')
    expect(problemOf(`--b 1\r\n${'A: b\r\n'.repeat(partHeadersMax + 1)}\r\n--b 1--`)?.[0]).toBe(
      'MULTIPART_HEADERS_TOO_LARGE',
    )
    expect(problemOf(`--b 1\r\nA: ${'b'.repeat(partHeaderBytesMax)}\r\n\r\n\r\n--b 1--`)?.[0]).toBe(
      'MULTIPART_HEADERS_TOO_LARGE',
    )
    let deep = 'x'
    for (let level = 0; level <= multipartDepthMax; level++) {
      deep = `--b${level}\r\nContent-Type: ${level === 0 ? 'a/b' : `multipart/mixed;boundary=b${level - 1}`}\r\n\r\n${deep}\r\n--b${level}--`
    }
    expect(problemOf(deep, `multipart/mixed;boundary=b${multipartDepthMax}`)?.[0]).toBe('MULTIPART_TOO_DEEP')
  })

  it('are read without an exception however they are cut or changed', () => {
    const bytes = Buffer.from(
      '--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\nA: b\r\n\r\nx\r\n--c--\r\n--b--\r\n',
    )
    for (let at = 0; at < bytes.length; at++) {
      parseBody(bytes.subarray(0, at), 'multipart/mixed;boundary=b')
      for (const value of [0, 10, 13, 32, 45, 255]) {
        const changed = Buffer.from(bytes)
        changed[at] = value
        parseBody(changed, 'multipart/mixed;boundary=b')
      }
    }
  })
})

describe('building', () => {
  it('gives a body that reads the same, nested too', () => {
    const inner = buildMultipart({ subtype: 'alternative', parts: [{ contentType: 'text/plain', body: 'caf\u00e9' }] })
    const built = buildMultipart({
      parts: [
        {
          contentType: 'application/sdp',
          body: 'v=0\r\n',
          disposition: 'session;handling=optional',
          headers: [['Content-ID', '<a@b>']],
        },
        inner,
      ],
    })
    const result = parseBody(built.body, built.contentType.toString())
    const leaves = result.ok ? leafParts(result.value) : []
    expect(leaves.map((part) => Buffer.from(part.bytes).toString())).toEqual(['v=0\r\n', 'caf\u00e9'])
    expect(leaves[0]?.disposition).toMatchObject({ type: 'session', handling: 'optional', isOptional: true })
    expect(buildMultipart({ parts: [inner] }).body).toEqual(buildMultipart({ parts: [inner] }).body)
  })

  it('refuses what would begin a header or a part of its own', () => {
    const part = { contentType: 'text/plain', body: 'x\r\n--mine\r\n' }
    expect(() => buildMultipart({ parts: [] })).toThrow()
    expect(() => buildMultipart({ parts: [part], boundary: 'mine' })).toThrow('boundary')
    expect(() => buildMultipart({ parts: [part], boundary: 'a\r\n' })).toThrow('boundary')
    expect(() => buildMultipart({ parts: [{ ...part, headers: [['A', 'b\r\nC: d']] }] })).toThrow()
    expect(() => buildMultipart({ parts: [{ ...part, headers: [['A b', 'c']] }] })).toThrow()
  })
})

describe('the body of a message', () => {
  it('RFC 5621 §8: has the disposition that the message says, or that of its type', () => {
    const request = createRequest({
      method: 'INVITE',
      uri: 'sip:a@b',
      headers: [],
      body: 'v=0',
      contentType: 'application/sdp',
    })
    const body = bodyOf(request)
    expect(body?.ok && body.value).toMatchObject({ isDispositionSaid: false, disposition: { type: 'session' } })
    const said = bodyOf(request.edit().set('Content-Disposition', 'render; handling=optional').build())
    expect(said?.ok && said.value.disposition.toString()).toBe('render;handling=optional')
    expect(bodyOf(createRequest({ method: 'BYE', uri: 'sip:a@b', headers: [] }))).toBeUndefined()
  })

  it('RFC 5621 §8.3: names the part that must be understood and is not', () => {
    const build = (subtype: string, ...types: [string, string?][]) => {
      const built = buildMultipart({
        subtype,
        parts: types.map(([contentType, disposition]) => ({
          contentType,
          body: '',
          ...(disposition === undefined ? {} : { disposition }),
        })),
      })
      const result = parseBody(built.body, built.contentType)
      if (!result.ok) throw new Error(result.error.code)
      return unsupportedPart(result.value, (part) => part.contentType.is('application/sdp'))?.contentType.essence
    }
    expect(build('mixed', ['application/sdp'], ['a/b'])).toBe('a/b')
    expect(build('mixed', ['application/sdp'], ['a/b', 'render;handling=optional'])).toBeUndefined()
    expect(build('alternative', ['a/b'], ['application/sdp'])).toBeUndefined()
    expect(build('alternative', ['a/b'], ['c/d'])).toBe('a/b')
  })

  it('RFC 3261 §20.11: reads and writes dispositions', () => {
    const result = ContentDisposition.parse(' Attachment ;filename="a \\"b\\".txt"; handling=Optional ')
    expect(result.ok && [result.value.type, result.value.params.get('filename'), result.value.handling]).toEqual([
      'attachment',
      'a "b".txt',
      'optional',
    ])
    expect(ContentDisposition.parse('a b')).toMatchObject({ ok: false, error: { header: 'Content-Disposition' } })
    expect(() => ContentDisposition.of('a b')).toThrow()
    expect(JSON.stringify(ContentDisposition.of('Session', { handling: 'required' }))).toBe(
      '"session;handling=required"',
    )
  })

  it('RFC 2046 §5.1.1: a boundary that needs quotes and has none is a matter of leniency', () => {
    const body = Buffer.from('--=_x\r\n\r\nq\r\n--=_x--')
    expect(parseBody(body, 'multipart/mixed;boundary==_x')).toMatchObject({ ok: false })
    const result = parseBody(body, 'multipart/mixed;boundary==_x', { leniency: { parameterCharacters: true } })
    expect(result.ok && result.value.parts.map(({ bytes }) => String(bytes))).toEqual(['q'])
  })
})
