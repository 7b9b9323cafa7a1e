/** How media may reach the server: each is tried alone, so that one knows which of them a network lets pass. */
export const WAYS = ['udp', 'tcp', 'relayUdp', 'relayTcp', 'relayTls'] as const
export type Way = (typeof WAYS)[number]
export type Direct = Extract<Way, 'udp' | 'tcp'>

export const isDirect = (way: Way): way is Direct => way === 'udp' || way === 'tcp'

/** Which way a TURN server's URL is (RFC 7065); null for STUN, and for what no browser speaks. */
export function relayWay(url: string): Way | null {
  const [scheme, rest = ''] = url.toLowerCase().split(/:(.*)/s)
  const transport = /[?&]transport=(\w+)/.exec(rest)?.[1]
  if (scheme === 'turns') return transport === 'udp' ? null : 'relayTls'
  if (scheme === 'turn') return transport === 'tcp' ? 'relayTcp' : 'relayUdp'
  return null
}

/** The servers reduced to the URLs of one way. */
export function serversOf(way: Way, servers: RTCIceServer[]): RTCIceServer[] {
  return servers.flatMap((server) => {
    const urls = [server.urls].flat().filter((url) => relayWay(url) === way)
    return urls.length > 0 ? [{ ...server, urls }] : []
  })
}
