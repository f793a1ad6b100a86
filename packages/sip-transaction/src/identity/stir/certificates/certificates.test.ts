/** Certificates of signers: which are trusted, for which numbers, and what fetching them may cost. */
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../../testing/seeded-random'
import { ia5, issue, makeAuthority, sequence, tlv, tnEntries } from '../fixtures/test-pki'
import { certificateFetchesMax, certificateKeptMs, certificateProblemKeptMs, certificatesKeptMax } from '../limits'
import { CertificateSource, type CertificateSourceOptions } from './certificate-source'
import { findChain } from './chain'
import { readTnAuthList, TnAuthorization } from './tn-auth-list'

const nowMs = Date.UTC(2026, 10, 23)
const validity = { notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 864_000_000 }
const root = makeAuthority('Root')
const middle = issue(root, { subject: 'Middle', ca: true, ...validity })
const leaf = issue(middle, { subject: 'Leaf', ...validity })

describe('a chain of certificates', () => {
  const chainProblem = (...given: Parameters<typeof findChain>) => {
    const found = findChain(...given)
    return typeof found === 'string' ? found : undefined
  }

  it('RFC 5280 §6.1: leads from the signer to an anchor, in whatever order the others stand', () => {
    const stray = issue(root, { subject: 'Stray', ca: true, ...validity })
    expect(chainProblem([leaf.x509, middle.x509], [root.x509], nowMs)).toBeUndefined()
    expect(chainProblem([leaf.x509, root.x509, stray.x509, middle.x509], [root.x509], nowMs)).toBeUndefined()
    expect(chainProblem([leaf.x509], [middle.x509], nowMs)).toBeUndefined()
    expect(chainProblem([leaf.x509], [leaf.x509], nowMs)).toBeUndefined()
  })

  it('RFC 5280 §6.1.3, §6.1.4: without an anchor, out of its time, or signed by who may not, it is none', () => {
    expect(chainProblem([], [root.x509], nowMs)).toMatch(/none/)
    expect(chainProblem([leaf.x509], [root.x509], nowMs)).toMatch(/nobody trusted/)
    expect(chainProblem([leaf.x509, middle.x509], [makeAuthority('Root').x509], nowMs)).toMatch(/nobody trusted/)
    for (const atMs of [nowMs - 10_000, nowMs + 865_000_000])
      expect(chainProblem([leaf.x509, middle.x509], [root.x509], atMs)).toMatch(/expired/)
    const child = issue(leaf, { subject: 'Child', ...validity })
    expect(chainProblem([child.x509, leaf.x509, middle.x509], [root.x509], nowMs)).toMatch(/nobody trusted/)
    const expired = issue(root, { subject: 'Expired', ca: true, notBeforeMs: 0, notAfterMs: nowMs - 1 })
    const orphan = issue(expired, { subject: 'Orphan', ...validity })
    expect(chainProblem([orphan.x509, expired.x509], [root.x509], nowMs)).toMatch(/expired/)
    const other = issue(root, { subject: 'P-384', curve: 'secp384r1', ...validity })
    expect(chainProblem([other.x509], [root.x509], nowMs)).toMatch(/ES256/)
  })

  it('two authorities that sign each other are not followed for ever', () => {
    const one = makeAuthority('One')
    const two = issue(one, { subject: 'Two', ca: true, ...validity })
    const lost = issue(two, { subject: 'Lost', ...validity })
    expect(chainProblem([lost.x509, two.x509, one.x509], [root.x509], nowMs)).toMatch(/nobody trusted/)
  })
})

describe('TNAuthList', () => {
  const read = (init: Parameters<typeof issue>[1]) => readTnAuthList(issue(root, init).x509.raw)
  const named = (tnAuthList: NonNullable<Parameters<typeof issue>[1]['tnAuthList']>) =>
    read({ subject: 'x', ...validity, tnAuthList })

  it('RFC 8226 §9: has provider codes, ranges and numbers', () => {
    const ranges = [{ start: '12155551000', count: 1_000 }]
    expect(named({ spcs: ['1234', 'ABCD'], ranges, numbers: ['12025550100'] })).toEqual(
      new TnAuthorization(['1234', 'ABCD'], ranges, ['12025550100']),
    )
    expect(read({ subject: 'x', ...validity })).toBe('none')
  })

  it('RFC 8226 §9: a number is named or not, and where a provider is, only the network knows', () => {
    const ranges = [{ start: '12155551990', count: 20 }]
    const some = new TnAuthorization([], ranges, ['12025550100'])
    const asked = ['12025550100', '12155551990', '12155552009', '12155552010', '12155551989', '1215555199', '*66']
    expect(asked.map((number) => some.covers(number))).toEqual([true, true, true, false, false, false, false])
    const provider = new TnAuthorization(['1234'], ranges, [])
    expect([provider.covers('12155551995'), provider.covers('1')]).toEqual([true, undefined])
  })

  it.each([
    ['no sequence', ia5('1234')],
    ['nothing', sequence()],
    ['an unknown kind', sequence(tlv(0xa3, ia5('1234')))],
    ['a number that is none', tnEntries({ numbers: ['12a'] })],
    ['a range of one', tnEntries({ ranges: [{ start: '1', count: 1 }] })],
    ['a length that lies', Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])],
    ['an indefinite length', Buffer.from([0x30, 0x80, 0, 0])],
    ['a length longer than it need be', Buffer.from([0x30, 0x81, 0x02, 0xa0, 0x00])],
    ['10 000 entries', tlvLong(Buffer.concat(Array.from({ length: 10_000 }, () => tlv(0xa2, ia5('1')))))],
  ])('with %s it is not used', (_what, rawTnAuthList) => {
    expect(readTnAuthList(extensionAlone(rawTnAuthList))).toBeUndefined()
  })

  it('any change of its bytes is read, or refused, and nothing throws', () => {
    const bytes = Buffer.from(issue(root, { subject: 'x', ...validity, tnAuthList: { numbers: ['1', '2'] } }).x509.raw)
    const random = new SeededRandom(5)
    let refused = 0
    for (let round = 0; round < 20_000; round += 1) {
      const changed = Buffer.from(bytes)
      for (let count = 0; count < 3; count += 1)
        changed[Math.floor(random.fraction() * changed.length)] = Math.floor(random.fraction() * 256)
      const cut = round % 4 === 0 ? changed.subarray(0, Math.floor(random.fraction() * changed.length)) : changed
      if (readTnAuthList(cut) === undefined) refused += 1
    }
    expect(refused).toBeGreaterThan(1_000)
    expect(readTnAuthList(Buffer.alloc(50_000, 0x30))).toBeUndefined()
  })
})

describe('where certificates come from', () => {
  const scene = (options: Partial<CertificateSourceOptions> = {}) => {
    const clock = { ms: nowMs }
    const asked: string[] = []
    const fetchCertificate = options.fetchCertificate ?? (async () => leaf.pem + middle.pem)
    const source = new CertificateSource({
      trustAnchors: [root.pem],
      wallMs: () => clock.ms,
      ...options,
      fetchCertificate: (url, signal) => {
        asked.push(url)
        return fetchCertificate(url, signal)
      },
    })
    return { clock, asked, source }
  }

  it('asks once for what is wanted several times, and again when it has been kept for long enough', async () => {
    const { source, asked, clock } = scene()
    const [one, other] = await Promise.all([source.get('https://a/'), source.get('https://a/')])
    expect(one).toMatchObject({ ok: true })
    expect(other).toBe(one)
    clock.ms += certificateKeptMs - 1
    expect(await source.get('https://a/')).toBe(one)
    expect(asked).toHaveLength(1)
    clock.ms += 1
    await source.get('https://a/')
    expect(asked).toHaveLength(2)
  })

  it('keeps no certificate for longer than it is valid', async () => {
    const brief = issue(root, { subject: 'Brief', notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 60_000 })
    const { source, clock } = scene({ fetchCertificate: async () => brief.pem })
    expect(await source.get('https://a/')).toMatchObject({ ok: true })
    clock.ms += 61_000
    expect(await source.get('https://a/')).toMatchObject({ ok: false, status: 437 })
  })

  it('a failure is kept for a short while', async () => {
    const { source, asked, clock } = scene({ fetchCertificate: () => Promise.reject(new Error('refused')) })
    for (let time = 0; time < 3; time += 1)
      expect(await source.get('https://a/')).toEqual({ ok: false, status: 436, detail: 'it cannot be fetched' })
    expect(asked).toHaveLength(1)
    clock.ms += certificateProblemKeptMs
    await source.get('https://a/')
    expect(asked).toHaveLength(2)
  })

  it('what was fetched and is no certificate, or too many, is 437', async () => {
    for (const file of ['', 'hello', leaf.pem.slice(0, 200), leaf.pem.repeat(9), Buffer.from([1, 2, 3])]) {
      const { source } = scene({ fetchCertificate: async () => file })
      expect(await source.get('https://a/')).toMatchObject({ ok: false, status: 437 })
    }
  })

  it('neither memory nor connections grow without bound', async () => {
    const { source } = scene()
    for (let index = 0; index < certificatesKeptMax + 10; index += 1) await source.get(`https://a/${index}`)
    expect(source.size).toBe(certificatesKeptMax)
    const flooded = scene({
      fetchCertificate: async (url) =>
        url === 'https://good/' ? leaf.pem + middle.pem : Promise.reject(new Error('no')),
    })
    await flooded.source.get('https://good/')
    for (let index = 0; index < certificatesKeptMax + 10; index += 1) await flooded.source.get(`https://a/${index}`)
    expect(flooded.source.size).toBe(certificatesKeptMax + 1)
    expect(await flooded.source.get('https://good/')).toMatchObject({ ok: true })
    expect(flooded.asked.filter((url) => url === 'https://good/')).toHaveLength(1)
    const stuck = scene({ fetchCertificate: () => new Promise(() => {}) })
    for (let index = 0; index < certificateFetchesMax; index += 1) stuck.source.get(`https://a/${index}`)
    expect(await stuck.source.get('https://a/over')).toMatchObject({ ok: false, status: 436 })
    expect(stuck.asked).toHaveLength(certificateFetchesMax)
  })

  it('who gives up takes nobody along', async () => {
    let settle: (pem: string) => void = () => {}
    const { source } = scene({ fetchCertificate: () => new Promise((resolve) => (settle = resolve)) })
    const abort = new AbortController()
    const [impatient, patient] = [source.get('https://a/', abort.signal), source.get('https://a/')]
    abort.abort(new Error('enough'))
    await expect(impatient).rejects.toThrow('enough')
    settle(leaf.pem + middle.pem)
    expect(await patient).toMatchObject({ ok: true })
  })

  it('anchors have to be certificates', () => {
    const make = (trustAnchors: CertificateSourceOptions['trustAnchors']) => () => scene({ trustAnchors })
    expect(make([])).toThrow(expect.objectContaining({ code: 'STIR_INVALID' }))
    expect(make(['nonsense'])).toThrow(expect.objectContaining({ code: 'STIR_INVALID' }))
    expect(make([root.x509, root.x509.raw, root.pem])).not.toThrow()
  })
})

/** A certificate's shape with nothing in it but that extension. */
function extensionAlone(value: Uint8Array): Buffer {
  const id = Buffer.from([0x06, 8, 0x2b, 6, 1, 5, 5, 7, 1, 26])
  const extension = tlvLong(Buffer.concat([id, tlvLong(value, 0x04)]))
  return tlvLong(tlvLong(tlvLong(tlvLong(extension), 0xa3)))
}

/** As `tlv`, with three bytes of length, or as many as it takes. */
function tlvLong(value: Uint8Array, tag = 0x30): Buffer {
  if (value.length < 65_536) return tlv(tag, value)
  const { length } = value
  return Buffer.concat([Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 255, length & 255]), value])
}
