import type { types } from 'mediasoup-client'

import type { Source } from './messages'

type Encoding = types.RtpEncodingParameters

/**
 * Three sizes of one camera: a receiver on a 2 Mbit/s line shared by twenty still gets the smallest of everybody. In each,
 * three temporal layers, so that a line just too narrow costs smoothness first and not the size.
 */
const WIDE: Encoding[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 110_000, maxFramerate: 15, scalabilityMode: 'L1T3' },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 350_000, scalabilityMode: 'L1T3' },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_100_000, scalabilityMode: 'L1T3' },
]
/** Phones and small cameras: two sizes, because a third would be a stamp. */
const SMALL: Encoding[] = [
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 130_000, maxFramerate: 15, scalabilityMode: 'L1T3' },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 550_000, scalabilityMode: 'L1T3' },
]
const WIDE_FROM_WIDTH = 900

/** Documents must be readable more than they must move: one size, whose frames may be thinned out. */
const SCREEN: Encoding[] = [{ maxBitrate: 2_500_000, maxFramerate: 15, scalabilityMode: 'L1T3' }]

/** What mediasoup-client is asked to make of a track of that source. */
export function producerOptions(source: Source, track: MediaStreamTrack): types.ProducerOptions {
  const { width } = track.getSettings()
  const common = { track, stopTracks: false, appData: { source } }
  switch (source) {
    case 'camera':
      return {
        ...common,
        encodings: (width ?? 0) >= WIDE_FROM_WIDTH ? WIDE : SMALL,
        codecOptions: { videoGoogleStartBitrate: 500 },
      }
    case 'screen':
      return { ...common, encodings: SCREEN, codecOptions: { videoGoogleStartBitrate: 1000 } }
    case 'microphone':
      return {
        ...common,
        codecOptions: { opusStereo: false, opusFec: true, opusDtx: true, opusMaxAverageBitrate: 40_000 },
      }
    case 'screenAudio':
      return {
        ...common,
        codecOptions: { opusStereo: true, opusFec: true, opusDtx: false, opusMaxAverageBitrate: 96_000 },
      }
  }
}
