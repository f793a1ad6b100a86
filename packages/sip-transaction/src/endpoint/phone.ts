/** A phone written by hand, for the tests of this folder: nothing goes out but what a test says, nothing is answered. */
import type { RawPeer } from './scenario'

/** Where the stack under test listens. */
export const serverAddress = '10.0.0.1'

/** One phone. */
export class Phone {
  private branches = 0

  constructor(
    readonly raw: RawPeer,
    readonly name: string,
  ) {}

  /** Sends a request; `changes` replaces headers, or leaves them out when undefined. */
  send(method: string, changes: Record<string, string | undefined> = {}, body = ''): void {
    this.branches += 1
    const headers: Record<string, string | undefined> = {
      Via: `SIP/2.0/UDP ${this.raw.address}:5060;branch=z9hG4bK${this.name}${this.branches}`,
      'Max-Forwards': '70',
      From: `<sip:${this.name}@${serverAddress}>;tag=${this.name}`,
      To: `<sip:bob@${serverAddress}>`,
      'Call-ID': `call-of-${this.name}`,
      CSeq: `1 ${method}`,
      Contact: `<sip:${this.name}@${this.raw.address}>`,
      ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
      'Content-Length': `${body.length}`,
      ...changes,
    }
    const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
    this.raw.send(serverAddress, [`${method} sip:bob@${serverAddress} SIP/2.0`, ...lines], body)
  }

  /** Answers a request that came in. */
  reply(request: string, status: string, changes: Record<string, string | undefined> = {}, body = ''): void {
    const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(request, name)}`)
    const to = headerOf(request, 'To') ?? ''
    const headers: Record<string, string | undefined> = {
      To: /;tag=/.test(to) ? to : `${to};tag=${this.name}`,
      Contact: `<sip:${this.name}@${this.raw.address}>`,
      ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
      'Content-Length': `${body.length}`,
      ...changes,
    }
    const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
    this.raw.send(serverAddress, [`SIP/2.0 ${status}`, ...copied, ...lines], body)
  }

  /** The last message that came in and begins so. */
  last(start: string): string {
    return this.raw.received.findLast((text) => text.startsWith(start)) ?? ''
  }

  /** The statuses that came in for a method. */
  statuses(method: string): number[] {
    return this.raw.received
      .filter((text) => text.startsWith('SIP/2.0') && headerOf(text, 'CSeq')?.endsWith(` ${method}`))
      .map((text) => Number(text.slice(8, 11)))
  }

  /** The requests that came in, retransmissions counted once. */
  requests(method: string): string[] {
    return [...new Set(this.raw.received.filter((text) => text.startsWith(`${method} `)))]
  }
}

/** The value of the first header of that name. */
export function headerOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*?)\\r$`, 'im').exec(text)?.[1]
}
