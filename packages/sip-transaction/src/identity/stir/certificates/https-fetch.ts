/**
 * Fetches certificates that strangers name (RFC 8224 §4): over https alone, from public addresses alone, which are looked at
 * when the connection is made, so that a name cannot lead elsewhere in between. No redirects, few bytes, little time.
 */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns'
import { get } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { certificateFetchTimeoutMs, certificateFileBytesMax } from '../limits'
import { isPublicAddress } from './public-addresses'

/** Fetches what the URL of a certificate names. Rejects when it cannot. */
export type FetchCertificate = (url: string, signal: AbortSignal) => Promise<Uint8Array | string>

/** Choices of {@link fetchCertificateByHttps}. */
export interface HttpsFetchOptions {
  /** Ports that may be asked; default 443 alone. */
  readonly ports?: readonly number[]
  /** How names are looked up; the system's way when absent. */
  readonly lookup?: (
    hostname: string,
    options: LookupOptions & { readonly all: true },
    done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void
  /** Whether an address may be asked; default: those of the public Internet. For certificates inside of your own network. */
  readonly mayAsk?: (address: string) => boolean
  /** Certificates, in PEM, of who may vouch for the server, in place of Node's. */
  readonly ca?: string
}

/** A function for the option `fetchCertificate` of an IdentityVerifier. */
export function fetchCertificateByHttps(options: HttpsFetchOptions = {}): FetchCertificate {
  const { ports = [443], lookup = systemLookup, mayAsk = isPublicAddress, ca } = options
  const checked: LookupFunction = (hostname, { family, all }, done) => {
    lookup(
      hostname,
      { family: family ?? 0, all: true } as LookupOptions & { readonly all: true },
      (error, addresses) => {
        const [first] = addresses ?? []
        const isPublic = first !== undefined && addresses.every(({ address }) => mayAsk(address))
        if (error !== null || !isPublic) done(error ?? new Error('the name leads to no public address'), [])
        else if (all === true) done(null, addresses)
        else done(null, first.address, first.family)
      },
    )
  }
  return (text, signal) => {
    const problem = urlProblem(text, ports, mayAsk)
    if (problem !== undefined) return Promise.reject(new Error(problem))
    return download(new URL(text), checked, ca, signal)
  }
}

/** What is wrong with a URL, whatever its name leads to. */
function urlProblem(text: string, ports: readonly number[], mayAsk: (address: string) => boolean): string | undefined {
  if (!URL.canParse(text)) return 'it is no URL'
  const { protocol, hostname, port, username, password } = new URL(text)
  if (protocol !== 'https:') return 'it is not https'
  if (username !== '' || password !== '') return 'it has a user'
  if (!ports.includes(port === '' ? 443 : Number(port))) return 'its port is not allowed'
  const address = hostname.replace(/^\[|\]$/g, '')
  // No name is looked up for an address, so this one is looked at here.
  return isIP(address) !== 0 && !mayAsk(address) ? 'its address is not public' : undefined
}

function download(url: URL, lookup: LookupFunction, ca: string | undefined, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(certificateFetchTimeoutMs)])
    const options = {
      lookup,
      agent: false,
      signal: limit,
      headers: { accept: 'application/pem-certificate-chain' },
    } as const
    const request = get(url, ca === undefined ? options : { ...options, ca }, (response) => {
      const parts: Buffer[] = []
      let length = 0
      const refuse = (why: string) => request.destroy(new Error(why))
      if (response.statusCode !== 200) refuse(`status ${response.statusCode}`)
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > certificateFileBytesMax) refuse('it is too long')
        else parts.push(part)
      })
      response.on('end', () => resolve(Buffer.concat(parts)))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}
