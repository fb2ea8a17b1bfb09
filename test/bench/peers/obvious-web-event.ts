export const WEB_EVENT_NAME = "kustomer.app.shop.ping";

/** The event as the obvious program makes it from a parsed body. */
export function webEventOf(id: string, payload: unknown): string {
  return JSON.stringify({
    specversion: "1.0",
    id,
    source: "/apps/shop/hooks/ping",
    type: WEB_EVENT_NAME,
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    app: "shop",
    hooktype: "web",
    data: { payload },
  });
}
