import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import type { OTLPExporterNodeConfigBase } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

/** The exporters of JavaScript, with and without compression. */
export const EXPORTERS = ['json', 'json gzip', 'protobuf', 'protobuf gzip'] as const;
export type ExporterName = (typeof EXPORTERS)[number];

/** @param url of The Eye, or of a proxy in front of it */
export function openTelemetry(
  name: ExporterName,
  url: string,
  headers: Record<string, string>,
): LoggerProvider {
  const Exporter = name.startsWith('json') ? JsonExporter : ProtobufExporter;
  const compression = (name.endsWith('gzip') ? 'gzip' : 'none') as NonNullable<
    OTLPExporterNodeConfigBase['compression']
  >;
  const exporter = new Exporter({ url: `${url}/v1/logs`, headers, compression });
  return new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'service.version': '1.2.3' }),
    processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: 60_000 })],
  });
}

/** A track, a page, an identify and 25 more tracks of a session. */
export function emit28Events(provider: LoggerProvider, session: string): void {
  const logger = provider.getLogger('shop.web', '1.0.0');
  const body = { n: -1, price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } };
  const attributes = { 'session.id': session, 'user.id': 'user-1' };
  for (const name of [
    'order.completed',
    'page.viewed',
    'user.identified',
    ...new Array<string>(25).fill('item.viewed'),
  ])
    logger.emit({ eventName: `com.example.${name}`, body, attributes });
}
