/** Servers of certificates that misbehave: what a fetch takes from them, and what it does not. */
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { issue, makeAuthority } from '../fixtures/test-pki'
import { certificateFileBytesMax } from '../limits'
import { fetchCertificateByHttps, type HttpsFetchOptions } from './https-fetch'

const never = new AbortController().signal
const validity = { notBeforeMs: 0, notAfterMs: Date.UTC(2049, 0) }
const authority = makeAuthority('Authority')
const issued = issue(authority, { subject: 'certs.example', host: 'certs.example', ...validity })
const paths: string[] = []
let server: Server

beforeAll(async () => {
  const key = issued.privateKey.export({ type: 'pkcs8', format: 'pem' })
  server = createServer({ key, cert: issued.pem }, (request, response) => {
    const path = request.url ?? ''
    paths.push(path)
    if (path === '/good') response.end(issued.pem)
    else if (path === '/full') response.end(Buffer.alloc(certificateFileBytesMax, 65))
    else if (path === '/long') response.end(Buffer.alloc(certificateFileBytesMax + 1, 65))
    else if (path === '/endless')
      response.on('drain', () => response.write(Buffer.alloc(65_536))).write(Buffer.alloc(65_536))
    else if (path === '/redirect') response.writeHead(302, { location: '/good' }).end(issued.pem)
    else if (path === '/cut')
      response.writeHead(200, { 'content-length': 1_000 }).write('half', () => response.destroy())
    else if (path !== '/silent') response.writeHead(404).end(issued.pem)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})

const lookup: HttpsFetchOptions['lookup'] = (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }])
const download = async (path: string, { host = 'certs.example', ca = authority.pem, signal = never } = {}) => {
  const { port } = server.address() as AddressInfo
  const fetch = fetchCertificateByHttps({ ports: [port], lookup, mayAsk: () => true, ca })
  return Buffer.from(await fetch(`https://${host}:${port}${path}`, signal))
}

describe('a download by https', () => {
  it('gives the bytes of a file, up to the limit', async () => {
    expect((await download('/good')).toString()).toBe(issued.pem)
    expect(await download('/full')).toHaveLength(certificateFileBytesMax)
  })

  it.each([
    ['a status other than 200, whatever comes with it', '/missing'],
    ['a redirect, which is not followed', '/redirect'],
    ['a file over the limit', '/long'],
    ['a file without end', '/endless'],
    ['a file that is cut off', '/cut'],
  ])('rejects for %s', async (_what, path) => {
    paths.length = 0
    await expect(download(path)).rejects.toThrow()
    expect(paths).toEqual([path])
  })

  it('rejects when the signal aborts while the server says nothing', async () => {
    const abort = new AbortController()
    const waiting = download('/silent', { signal: abort.signal })
    server.once('request', () => abort.abort(new Error('enough')))
    await expect(waiting).rejects.toThrow()
  })

  it('asks nothing of a server that cannot prove its name', async () => {
    paths.length = 0
    await expect(download('/good', { host: 'other.example' })).rejects.toThrow(/altnames/)
    await expect(download('/good', { ca: makeAuthority('Stranger').pem })).rejects.toThrow()
    expect(paths).toEqual([])
  })
})
