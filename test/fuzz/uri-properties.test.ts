/** Properties of URIs that hold for every URI, tried on generated ones; a failing one is printed with its seed. */
import { OpaqueUri, parseUri, SipUri, TelUri, tolerant, type Uri } from '@carillon/sip-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const hex = fc.constantFrom(...'0123456789abcdefABCDEF')
const escaped = fc.tuple(hex, hex).map(([high, low]) => `%${high}${low}`)

/** A component made of its characters and of escapes. */
function component(characters: string, minLength: number): fc.Arbitrary<string> {
  const piece = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...characters) }, { weight: 1, arbitrary: escaped })
  return fc.array(piece, { minLength, maxLength: 8 }).map((pieces) => pieces.join(''))
}

const letters = 'abYZ09'
const mark = "-_.!~*'()"
const user = component(`${letters}${mark}&=+$,;?/`, 1)
const password = component(`${letters}${mark}&=+$,`, 0)
const paramText = component(`${letters}${mark}[]/:&+$`, 1)
const headerText = component(`${letters}${mark}[]/?:+$`, 1)
const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))
const host = fc.oneof(
  fc.constantFrom('example.com', 'EXAMPLE.com', 'a-b.c', 'localhost', 'x.', '192.0.2.1', '[::1]', '[2001:DB8::9:1]'),
  fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => `[${groups.join(':')}]`),
  fc.array(group, { minLength: 0, maxLength: 7 }).map((groups) => `[::${groups.join(':')}]`),
  fc.array(group, { minLength: 1, maxLength: 5 }).map((groups) => `[${groups.join(':')}::192.0.2.1]`),
)
const paramName = fc.oneof(
  fc.constantFrom('transport', 'Transport', 'lr', 'maddr', 'ttl', 'user', 'method', 'ob', '%6Cr'),
  paramText,
)
const params = fc.array(fc.tuple(paramName, fc.option(paramText)), { maxLength: 4 })
const headers = fc.array(fc.tuple(fc.oneof(fc.constantFrom('Route', 'route', 'Subject'), headerText), headerText), {
  maxLength: 3,
})

const sipText = fc
  .record({
    scheme: fc.constantFrom('sip', 'sips', 'SIP'),
    userInfo: fc.option(fc.tuple(user, fc.option(password))),
    host,
    port: fc.option(fc.integer({ min: 0, max: 65535 })),
    params,
    headers,
  })
  .map((parts) => {
    const [name, secret] = parts.userInfo ?? []
    const info = name === undefined ? '' : `${name}${secret == null ? '' : `:${secret}`}@`
    const tail = parts.params.map(([key, value]) => (value === null ? `;${key}` : `;${key}=${value}`)).join('')
    const query = parts.headers.map(([key, value]) => `${key}=${value}`).join('&')
    const port = parts.port === null ? '' : `:${parts.port}`
    return `${parts.scheme}:${info}${parts.host}${port}${tail}${query === '' ? '' : `?${query}`}`
  })

const telText = fc
  .record({
    number: fc.stringMatching(/^\+[-.()]{0,2}[0-9][0-9().-]{0,8}$/),
    extension: fc.option(fc.stringMatching(/^[0-9][0-9.-]{0,3}$/)),
    subaddress: fc.option(component(`${letters}/?:@&=+$,`, 1)),
    context: fc.option(fc.constantFrom('example.com', 'A.b', '+1-914', '+1914')),
    rest: fc.option(fc.tuple(fc.stringMatching(/^x[A-Za-z0-9-]{0,4}$/), fc.option(paramText))),
  })
  .map(({ number, extension, subaddress, context, rest }) => {
    const [name, value] = rest ?? []
    return [
      `tel:${number}`,
      name === undefined ? '' : value === null ? `;${name}` : `;${name}=${value}`,
      extension === null ? '' : `;ext=${extension}`,
      context === null ? '' : `;phone-context=${context}`,
      subaddress === null ? '' : `;isub=${subaddress}`,
    ].join('')
  })

const opaqueText = fc.oneof(
  fc.tuple(fc.constantFrom('urn:uuid:', 'URN:example:', 'urn:Service:'), user).map((parts) => parts.join('')),
  fc.tuple(fc.constantFrom('http://Example.com/', 'im:', 'x-y+z.1:'), user).map((parts) => parts.join('')),
)

/** URIs that are accepted; a repeated parameter is the one thing that the generators may get wrong. */
function uris(texts: fc.Arbitrary<string>): fc.Arbitrary<Uri> {
  return texts
    .map((text) => parseUri(text))
    .filter((result) => {
      if (!result.ok) expect(result.error.code).toBe('PARAMETER_REPEATED')
      return result.ok
    })
    .map((result) => {
      if (!result.ok) throw new Error('filtered')
      return result.value
    })
}

const sipUri = uris(sipText).map((uri) => uri as SipUri)
const telUri = uris(telText).map((uri) => uri as TelUri)
const anyUri: fc.Arbitrary<Uri> = fc.oneof(sipUri, telUri, uris(opaqueText))

function read(text: string): Uri {
  const result = parseUri(text)
  if (!result.ok) throw new Error(`${text}: ${result.error.code} at ${result.error.offset}`)
  return result.value
}

describe('properties of URIs', () => {
  it('reading and writing is the identity', () => {
    fc.assert(
      fc.property(fc.oneof(sipText, telText, opaqueText), (text) => {
        const result = parseUri(text)
        if (result.ok) expect(result.value.toString()).toBe(text)
      }),
    )
  })

  it('generated URIs are read as the kind they are', () => {
    fc.assert(
      fc.property(sipUri, telUri, uris(opaqueText), (sip, tel, opaque) => {
        expect([sip instanceof SipUri, tel instanceof TelUri, opaque instanceof OpaqueUri]).toEqual([true, true, true])
      }),
    )
  })

  it('every URI equals itself, read once more', () => {
    fc.assert(
      fc.property(anyUri, (uri) => {
        expect(uri.equals(read(uri.toString()))).toBe(true)
      }),
    )
  })

  it('equality is the same both ways', () => {
    fc.assert(
      fc.property(anyUri, anyUri, (one, other) => {
        expect(one.equals(other)).toBe(other.equals(one))
      }),
    )
    fc.assert(
      fc.property(sipUri, params, (uri, others) => {
        const changed = uri.with({ params: new Map(others.filter(([, value]) => value !== '')) })
        expect(uri.equals(changed)).toBe(changed.equals(uri))
      }),
    )
  })

  it('the normal spelling is that of an equal URI, and its own normal spelling', () => {
    fc.assert(
      fc.property(anyUri, (uri) => {
        const normal = uri.normalised()
        expect(normal.equals(uri)).toBe(true)
        expect(read(normal.toString()).equals(uri)).toBe(true)
        expect(read(normal.toString()).normalised().toString()).toBe(normal.toString())
        expect(read(normal.toString()).addressOfRecord).toBe(uri.addressOfRecord)
      }),
    )
  })

  it('a URI with nothing changed is the same URI, and its parts make an equal one', () => {
    fc.assert(
      fc.property(sipUri, (uri) => {
        expect(uri.with({}).equals(uri)).toBe(true)
        const { scheme, host, port } = uri
        const made = SipUri.of({ scheme, user: uri.user, password: uri.password, host, port, params: uri.params })
        expect([made.user, made.password, [...made.params]]).toEqual([uri.user, uri.password, [...uri.params]])
        expect(read(made.toString()).equals(made)).toBe(true)
      }),
    )
    fc.assert(
      fc.property(telUri, (uri) => {
        expect(uri.with({}).equals(uri)).toBe(true)
      }),
    )
  })

  it('what is set is read back, whatever it holds, and the rest stays as it was', () => {
    const anyText = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 8 })
      .filter((text) => !/\p{Surrogate}/u.test(text))
    fc.assert(
      fc.property(sipUri, anyText, anyText, fc.nat(65535), (uri, value, name, port) => {
        const changed = uri
          .with({ user: value, password: value, port })
          .withParam(name, value)
          .withParam('gone', null)
          .withParam('GONE', undefined)
          .withHeader(name, value)
        const again = read(changed.toString()) as SipUri
        const key = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
        expect([again.user, again.password, again.port]).toEqual([value, value, port])
        expect([again.params.get(key), again.headers.get(name)]).toEqual([value, value])
        expect(again.params.has('gone')).toBe(false)
        for (const [other, kept] of uri.params) {
          if (other !== key && other !== 'gone') expect(again.params.get(other)).toBe(kept)
        }
        expect([again.scheme, again.host]).toEqual([uri.scheme, uri.host])
        expect(changed.with({ host: 'other.example' }).addressOfRecord).toBe(`sip:${value}@other.example`)
      }),
    )
  })

  it('telephone numbers go through SIP URIs and come back equal', () => {
    fc.assert(
      fc.property(telUri, (tel) => {
        const sip = read(SipUri.ofTel(tel, { host: 'gw.example.com' }).toString()) as SipUri
        expect(sip.toTel()?.equals(tel)).toBe(true)
        const again = SipUri.ofTel(tel.normalised(), { host: 'gw.example.com' })
        expect(again.toString()).toBe(sip.toString())
      }),
    )
  })

  it('no secret reaches JSON', () => {
    fc.assert(
      fc.property(sipUri, (uri) => {
        const secret = 'S3cretS3cret'
        const json = JSON.stringify(uri.with({ user: 'a', password: secret }).withHeader('Authorization', secret))
        expect(json).not.toContain(secret)
      }),
    )
  })

  it('any text gives a verdict, and tolerance refuses nothing that strictness takes', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.stringMatching(/^sips?:[ -~]{0,40}$/),
      fc.stringMatching(/^tel:[ -~]{0,20}$/),
      fc.stringMatching(/^[a-z]{1,5}:[!-~]{0,20}$/),
    )
    fc.assert(
      fc.property(noise, (text) => {
        const result = parseUri(text)
        const bytes = Buffer.byteLength(text)
        if (!result.ok) {
          expect(result.error.offset).toBeGreaterThanOrEqual(0)
          expect(result.error.offset).toBeLessThanOrEqual(bytes)
          return
        }
        expect(result.value.toString()).toBe(text)
        expect(result.value.equals(result.value.normalised())).toBe(true)
        expect(parseUri(text, tolerant).ok).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})
