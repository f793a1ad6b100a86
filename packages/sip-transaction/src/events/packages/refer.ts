/** What comes of a REFER: the package `refer` of RFC 3515 §2.4, its bodies the status line of RFC 3420 §2.3. */
import type { EventPackage } from '../event-package'

/** How far the request that the REFER asked for has come. */
export interface ReferProgress {
  /** The last status of it: 100 at first. */
  readonly status: number
  /** The reason phrase. */
  readonly reason: string
}

/** Characters of a status line that are looked at. */
const lineLengthMax = 512

/** The package `refer`. */
export const referPackage: EventPackage<ReferProgress> = {
  name: 'refer',
  contentType: 'message/sipfrag;version=2.0',
  alsoReads: ['message/sipfrag'],
  expiresSeconds: 300,
  forks: 'one',
  read: (body) => {
    const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, lineLengthMax)).toString('utf8')
    const match = /^SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t]+([^\r\n]*))?(?:\r?\n|$)/i.exec(text.trimStart())
    if (match === null) return { ok: false, reason: 'no status line' }
    return { ok: true, state: { status: Number(match[1]), reason: match[2]?.trim() ?? '' } }
  },
  write: ({ status, reason }) => `SIP/2.0 ${status} ${reason.replace(/[\r\n]+/g, ' ')}\r\n`,
}
