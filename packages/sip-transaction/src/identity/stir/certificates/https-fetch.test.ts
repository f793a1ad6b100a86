import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issue, makeAuthority } from '../fixtures/test-pki'
import { certificateFileBytesMax } from '../limits'
import { fetchCertificateByHttps, type HttpsFetchOptions } from './https-fetch'
import { isPublicAddress } from './public-addresses'

const never = new AbortController().signal
const authority = makeAuthority('Authority')
const issued = issue(authority, {
  subject: 'certs.example',
  host: 'certs.example',
  notBeforeMs: 0,
  notAfterMs: Date.UTC(2049, 0),
})
let server: Server
let requests = 0
const answers: Record<string, (response: ServerResponse) => void> = {
  '/a.pem': (response) => response.end('a certificate'),
  '/gone': (response) => response.writeHead(404).end('a certificate'),
  '/moved': (response) => response.writeHead(302, { location: '/a.pem' }).end(),
  '/long': (response) => response.end(Buffer.alloc(certificateFileBytesMax + 1)),
}

beforeAll(async () => {
  const key = issued.privateKey.export({ type: 'pkcs8', format: 'pem' })
  server = createServer({ key, cert: issued.pem }, (request, response) => {
    requests += 1
    answers[request.url ?? '']?.(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const port = () => (server.address() as AddressInfo).port

describe('an Identity header that points to a private address', () => {
  it.each([
    'http://certs.example/a.pem',
    'ftp://certs.example/a.pem',
    'https://user:secret@certs.example/a.pem',
    'https://certs.example:8080/a.pem',
    'https://127.0.0.1/a.pem',
    'https://2130706433/a.pem',
    'https://0x7f.1/a.pem',
    'https://[::1]/a.pem',
    'https://[::ffff:10.0.0.1]/a.pem',
    'https://169.254.169.254/latest/meta-data',
    'https://10.1.2.3/a.pem',
    'https://[fe80::1]/a.pem',
    'https://[fd00::1]/a.pem',
    'nonsense',
  ])('%s is refused before anything is asked', async (url) => {
    const fetch = fetchCertificateByHttps({
      lookup: () => {
        throw new Error('looked up')
      },
    })
    await expect(fetch(url, never)).rejects.toThrow(/^it(s| is| has)/)
  })

  it('a name that leads to one is refused when the connection is made, also beside a public one', async () => {
    for (const addresses of [
      [{ address: '127.0.0.1', family: 4 }],
      [
        { address: '192.0.0.8', family: 4 },
        { address: '8.8.8.8', family: 4 },
      ],
      [{ address: '10.0.0.1', family: 4 }],
      [{ address: '::1', family: 6 }],
      [{ address: '::ffff:127.0.0.1', family: 6 }],
      [],
    ]) {
      const fetch = fetchCertificateByHttps({
        ports: [port()],
        ca: authority.pem,
        lookup: (_name, _options, done) => done(null, addresses),
      })
      await expect(fetch(`https://certs.example:${port()}/a.pem`, never)).rejects.toThrow('no public address')
    }
    expect(requests).toBe(0)
  })

  it('a name that cannot be found, and a signal that aborts, reject', async () => {
    const failing = fetchCertificateByHttps({ lookup: (_name, _options, done) => done(new Error('not found'), []) })
    await expect(failing('https://certs.example/', never)).rejects.toThrow('not found')
    const waiting = fetchCertificateByHttps({ lookup: () => {} })
    await expect(waiting('https://certs.example/', AbortSignal.abort())).rejects.toThrow()
  })
})

describe("a certificate in a network of one's own", () => {
  const inside = (path: string, signal = never) => {
    const lookup: HttpsFetchOptions['lookup'] = (_name, _options, done) =>
      done(null, [{ address: '127.0.0.1', family: 4 }])
    const options = { ports: [port()], ca: authority.pem, mayAsk: (address: string) => address === '127.0.0.1', lookup }
    return fetchCertificateByHttps(options)(`https://certs.example:${port()}${path}`, signal)
  }

  it('is fetched from where it may be asked for', async () => {
    expect(Buffer.from(await inside('/a.pem')).toString()).toBe('a certificate')
    await expect(fetchCertificateByHttps()(`https://127.0.0.1:${port()}/a.pem`, never)).rejects.toThrow()
  })

  it('RFC 8224 §4: an error, another place and too much of it are no certificate', async () => {
    await expect(inside('/gone')).rejects.toThrow('status 404')
    await expect(inside('/moved')).rejects.toThrow('status 302')
    await expect(inside('/long')).rejects.toThrow('too long')
  })

  it('a server that says nothing is not waited for when the signal aborts', async () => {
    const abort = new AbortController()
    const waiting = inside('/silent', abort.signal)
    setImmediate(() => abort.abort())
    await expect(waiting).rejects.toThrow()
  })
})

describe('public addresses', () => {
  it('RFC 6890 §2.2: are those of the Internet, and no others', () => {
    const isPublic = ['8.8.8.8', '193.166.3.2', '2606:4700::1111', '172.15.0.1', '100.128.0.1']
    const isNot = [
      ...[
        '0.0.0.0',
        '10.0.0.1',
        '100.64.0.1',
        '127.8.8.8',
        '169.254.1.1',
        '172.16.0.1',
        '172.31.255.255',
        '192.168.1.1',
      ],
      ...[
        '198.18.0.1',
        '203.0.113.1',
        '224.0.0.1',
        '255.255.255.255',
        '::',
        '::1',
        '::ffff:8.8.8.8',
        '64:ff9b::808:808',
      ],
      ...['fc00::1', 'fe80::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', 'certs.example', ''],
    ]
    expect(isPublic.filter((address) => !isPublicAddress(address))).toEqual([])
    expect(isNot.filter(isPublicAddress)).toEqual([])
  })
})
