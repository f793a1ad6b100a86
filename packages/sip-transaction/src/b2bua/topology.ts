/** Topology hiding where descriptions pass unchanged: the o= line names us, not the other side (RFC 8866 §5.2). Pure. */

/** The description with an origin of that host; its media addresses stay, for media has to find its way. */
export function hideOrigin(sdp: Uint8Array, host: string): Uint8Array {
  const text = Buffer.from(sdp.buffer, sdp.byteOffset, sdp.byteLength).toString('latin1')
  const family = host.includes(':') ? 'IP6' : 'IP4'
  const hidden = text.replace(
    /^o=\S+ (\S+) (\S+) IN IP[46] [^\r\n]*/m,
    (_, id: string, version: string) => `o=- ${id} ${version} IN ${family} ${host}`,
  )
  return Buffer.from(hidden, 'latin1')
}
