import { detectDevice, Device, type types } from 'mediasoup-client'
import { Chrome111 } from 'mediasoup-client/handlers/Chrome111'

/*
 * Redundant audio (RFC 2198): each packet of a microphone repeats the frame before it, so that a single lost packet is
 * not heard. Browsers of the Chromium family can, but only where the answer names RED and Opus, RED first, and
 * mediasoup-client's answers name one codec. So its connection gets answers with RED added, and the server is told.
 */

const OPUS = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im
const RED = /^a=rtpmap:(\d+) red\/48000\/2\r?$/im
const MID = /^a=mid:(\S+)/m
/** What mediasoup-client writes for music: a screen's sound has twice a voice's rate already. */
const STEREO = /^a=fmtp:\d+ .*\bstereo=1\b/m

/** mediasoup-client's device; microphones go out with redundancy where browser and server know it. */
export function makeDevice(router: types.RtpCapabilities): types.Device {
  if (detectDevice() !== 'Chrome111' || !redIn(router)) return new Device()
  const chrome = Chrome111.createFactory({})
  return new Device({
    handlerFactory: {
      ...chrome,
      factory: (options) =>
        options.direction === 'send' ? redundantly(() => chrome.factory(options)) : chrome.factory(options),
    },
  })
}

/** A microphone's parameters with the RED format beside its Opus, as the server must be told. */
export function toldOfRed(
  parameters: types.RtpParameters,
  capabilities: types.RtpCapabilities,
): types.RtpParameters {
  const opus = parameters.codecs.find((codec) => codec.mimeType.toLowerCase() === 'audio/opus')
  const red = redIn(capabilities)
  if (!opus || !red?.preferredPayloadType) return parameters
  const { mimeType, clockRate, channels, preferredPayloadType: payloadType } = red
  const format = { mimeType, payloadType, clockRate, channels, parameters: { '': copies(opus.payloadType) } }
  return { ...parameters, codecs: [...parameters.codecs, format] }
}

/** An answer with RED before Opus in each voice's section for which the offer has it. */
export function withRed(answer: string, offer: string): string {
  const offered = new Map(sections(offer).map((section) => [MID.exec(section)?.[1], section]))
  return sections(answer)
    .map((section) => addRed(section, offered.get(MID.exec(section)?.[1]) ?? ''))
    .join('')
}

function addRed(section: string, offered: string): string {
  const opus = OPUS.exec(section)?.[1]
  const red = RED.exec(offered)?.[1]
  if (!opus || !red || RED.test(section) || STEREO.test(section)) return section
  const lines = `a=rtpmap:${red} red/48000/2\r\na=fmtp:${red} ${copies(opus)}\r\n`
  return section.replace(/^(m=audio \S+ \S+)/, `$1 ${red}`).replace(/^a=rtpmap:/m, `${lines}a=rtpmap:`)
}

/** The connection that `make` makes adds RED to its answers. */
function redundantly<Made>(make: () => Made): Made {
  const native = globalThis.RTCPeerConnection
  globalThis.RTCPeerConnection = class extends native {
    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { type, sdp = '' } = description
      const offer = this.localDescription?.sdp ?? ''
      return super.setRemoteDescription(type === 'answer' ? { type, sdp: withRed(sdp, offer) } : description)
    }
  }
  try {
    return make()
  } finally {
    globalThis.RTCPeerConnection = native
  }
}

const redIn = (capabilities: types.RtpCapabilities): types.RtpCodecCapability | undefined =>
  capabilities.codecs?.find((codec) => codec.mimeType.toLowerCase() === 'audio/red')

const copies = (payloadType: number | string): string => `${payloadType}/${payloadType}`

const sections = (sdp: string): string[] => sdp.split(/^(?=m=)/m)
