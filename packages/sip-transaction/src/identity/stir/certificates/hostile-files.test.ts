/** Files that a stranger serves as his certificate, made so that reading them goes wrong. */
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../../testing/seeded-random'
import { issue, makeAuthority } from '../fixtures/test-pki'
import { certificateFetchesMax, certificateFileBytesMax } from '../limits'
import { CertificateSource } from './certificate-source'

const nowMs = Date.UTC(2026, 10, 23)
const validity = { notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 864_000_000 }
const root = makeAuthority('Root')
const leaf = issue(root, { subject: 'Leaf', ...validity, tnAuthList: { numbers: ['12025550100'] } })
const sourceOf = (file: Uint8Array | string) =>
  new CertificateSource({ trustAnchors: [root.pem], wallMs: () => nowMs, fetchCertificate: async () => file })

/** A certificate on a curve that there is not: it can be parsed, and its key cannot be read. */
function withUnreadableKey(): Buffer {
  const curve = Buffer.from([0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])
  const bytes = Buffer.from(leaf.x509.raw)
  const at = bytes.indexOf(curve)
  expect(at).toBeGreaterThan(0)
  bytes[at + curve.length - 1] = 0x7f
  return bytes
}

describe('a file with certificates', () => {
  it('whose key cannot be read is 437, and holds no place among the fetches', async () => {
    const source = sourceOf(withUnreadableKey())
    for (let index = 0; index < certificateFetchesMax + 1; index += 1)
      expect(await source.get(`https://a/${index}`)).toMatchObject({ ok: false, status: 437 })
  })

  it('changed anywhere is 437, or the same certificate, and nothing rejects', async () => {
    const random = new SeededRandom(11)
    for (let round = 0; round < 3_000; round += 1) {
      const changed = Buffer.from(leaf.x509.raw)
      for (let count = 0; count < 1 + (round % 3); count += 1)
        changed[Math.floor(random.fraction() * changed.length)] = Math.floor(random.fraction() * 256)
      const result = await sourceOf(changed).get('https://a/')
      if (result.ok) expect(result.certificate.certificate.raw.equals(leaf.x509.raw)).toBe(true)
      else expect(result.status).toBe(437)
    }
  })

  it('is not looked at when it is longer than any should be, whoever fetched it', async () => {
    const padding = '\n'.repeat(certificateFileBytesMax - leaf.pem.length)
    expect(await sourceOf(leaf.pem + padding).get('https://a/')).toMatchObject({ ok: true })
    expect(await sourceOf(`${leaf.pem}${padding}\n`).get('https://a/')).toMatchObject({ ok: false, status: 437 })
  })

  it('of authorities that all sign each other is seen through at once', async () => {
    const twins = Array.from({ length: 7 }, () => makeAuthority('Twin'))
    const lost = issue(twins[0] ?? root, { subject: 'Lost', ...validity })
    const file = [lost, ...twins].map(({ pem }) => pem).join('')
    expect(await sourceOf(file).get('https://a/')).toMatchObject({ ok: false, detail: 'it leads to nobody trusted' })
  })
})
