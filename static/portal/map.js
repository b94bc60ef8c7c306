// <map-view>: an OpenLayers map with an offline base map, footprints, pictures and a box to draw.
//
// data-land, data-land-detail, data-borders   addresses of the TopoJSON files of the base map
// data-extent      "west,south,east,north" in degrees: what to show first
// data-layers      id of a <script type="application/json"> with the layers to draw (see addLayer)
// data-box, data-shapes   what can be drawn: see map-draw.js
// data-label       name of the map for screen readers
//
// A map is never the only way: what it shows is also on the page as text, what it asks for as fields.
(() => {
  "use strict";

  const SIDES = ["west", "south", "east", "north"];
  const WORLD = [-180, -85, 180, 85];
  const projected = (box) => ol.proj.transformExtent(clamped(box), "EPSG:4326", "EPSG:3857");
  const clamped = ([w, s, e, n]) => [w, Math.max(s, -85), e < w ? e + 360 : e, Math.min(n, 85)];
  const numbers = (text) => text.split(",").map(Number);

  // A colour of the design system as the browser resolves it now, for the canvas.
  function colour(name, alpha = 1) {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    if (alpha === 1) return value;
    const [r, g, b] = value.match(/[\d.]+/g);
    return `rgba(${r}, ${g}, ${b}, ${alpha})`;
  }

  function outline(name, { width = 2, fill = 0.12, dash } = {}) {
    return () => new ol.style.Style({
      stroke: new ol.style.Stroke({ color: colour(name), width, lineDash: dash }),
      fill: new ol.style.Fill({ color: colour(name, fill) }),
      image: new ol.style.Circle({
        radius: 6,
        fill: new ol.style.Fill({ color: colour(name) }),
        stroke: new ol.style.Stroke({ color: colour("surface"), width: 2 }),
      }),
    });
  }

  class MapView extends HTMLElement {
    connectedCallback() {
      if (this.map || !window.ol) return;
      this.querySelector(".map__fallback")?.remove();
      this.canvas = this.part("map__canvas");
      this.tools = this.part("map__tools");
      this.status = this.part("map__status");
      this.status.setAttribute("aria-live", "polite");
      Object.assign(this.canvas, { tabIndex: 0, role: "application", ariaLabel: this.dataset.label || "Map" });
      this.named = new Map();
      this.map = new ol.Map({
        target: this.canvas,
        layers: this.baseLayers(),
        controls: [
          new ol.control.Zoom(),
          new ol.control.ScaleLine(),
          new ol.control.Attribution({ collapsible: false }),
        ],
        view: new ol.View({ center: [0, 0], zoom: 1, extent: ol.proj.transformExtent([-360, -85, 360, 85], "EPSG:4326", "EPSG:3857"), showFullExtent: true }),
      });
      const data = document.getElementById(this.dataset.layers || "");
      for (const layer of data ? JSON.parse(data.textContent) : []) this.addLayer(layer);
      this.fit(this.dataset.extent ? numbers(this.dataset.extent) : WORLD);
      this.outline = outline;
      this.projected = projected;
      this.dispatchEvent(new CustomEvent("map:ready", { bubbles: true }));  // for map-draw.js
      this.addTool("Show all", () => this.fitAll());
      this.followFeatures();
      this.onTheme = () => this.retheme();
      document.addEventListener("themechange", this.onTheme);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.onTheme);
      new ResizeObserver(() => this.map.updateSize()).observe(this);
    }

    disconnectedCallback() {
      document.removeEventListener("themechange", this.onTheme);
      this.map?.setTarget(undefined);
    }

    part(name) {
      const node = document.createElement("div");
      node.className = name;
      this.append(node);
      return node;
    }

    addTool(label, action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn--small";
      button.textContent = label;
      button.addEventListener("click", () => action(button));
      this.tools.append(button);
      return button;
    }

    baseLayers() {
      const topology = (url, limits, style) => url && new ol.layer.Vector({
        source: new ol.source.Vector({
          url,
          format: new ol.format.TopoJSON({ dataProjection: "EPSG:4326" }),
          attributions: "Natural Earth",
        }),
        style, ...limits,
      });
      const land = () => new ol.style.Style({
        fill: new ol.style.Fill({ color: colour("map-land") }),
        stroke: new ol.style.Stroke({ color: colour("map-coast"), width: 0.8 }),
      });
      const border = () => new ol.style.Style({
        stroke: new ol.style.Stroke({ color: colour("map-coast"), width: 0.6, lineDash: [4, 3] }),
      });
      this.graticule = new ol.layer.Graticule(this.graticuleOptions());
      return [
        topology(this.dataset.land, { maxZoom: 4 }, land),
        topology(this.dataset.landDetail, { minZoom: 4 }, land),
        topology(this.dataset.borders, {}, border),
        this.graticule,
      ].filter(Boolean);
    }

    graticuleOptions() {
      const text = new ol.style.Text({
        font: "11px system-ui, sans-serif",
        fill: new ol.style.Fill({ color: colour("ink-soft") }),
        stroke: new ol.style.Stroke({ color: colour("map-water"), width: 3 }),
      });
      const lat = text.clone();
      lat.setTextAlign("end");
      text.setTextBaseline("bottom");
      return {
        strokeStyle: new ol.style.Stroke({ color: colour("map-graticule"), width: 1 }),
        showLabels: true, lonLabelStyle: text, latLabelStyle: lat, wrapX: true, targetSize: 130,
      };
    }

    // {id, type: "area" | "footprint" | "image" | "wms" | "geojson", title, bbox, url, layers, href, opacity}
    addLayer(spec) {
      const made = {
        area: () => this.boxLayer(spec, outline("ink-soft", { width: 1.5, fill: 0, dash: [6, 5] })),
        footprint: () => this.boxLayer(spec, outline("accent", { width: 1.8, fill: 0.07 })),
        image: () => new ol.layer.Image({
          source: new ol.source.ImageStatic({ url: spec.url, projection: "EPSG:4326", imageExtent: spec.bbox, interpolate: false }),
        }),
        wms: () => new ol.layer.Image({
          source: new ol.source.ImageWMS({ url: spec.url, params: { LAYERS: spec.layers, TRANSPARENT: true }, ratio: 1 }),
        }),
        geojson: () => new ol.layer.Vector({
          source: new ol.source.Vector({ url: spec.url, format: new ol.format.GeoJSON() }),
          style: outline("accent"),
        }),
      }[spec.type]();
      if (spec.opacity !== undefined) made.setOpacity(spec.opacity);
      made.set("fits", spec.fits !== false && spec.type !== "area");
      made.set("bbox", spec.bbox);
      this.named.set(spec.id, made);
      this.map.addLayer(made);
      if (spec.type === "geojson" && !spec.bbox) {
        made.getSource().once("featuresloadend", () => this.fitAll());
      }
      return made;
    }

    boxLayer(spec, style) {
      const feature = new ol.Feature(ol.geom.Polygon.fromExtent(projected(spec.bbox)));
      feature.setProperties({ title: spec.title, href: spec.href });
      return new ol.layer.Vector({ source: new ol.source.Vector({ features: [feature] }), style });
    }

    retheme() {
      const at = this.map.getLayers().getArray().indexOf(this.graticule);
      this.map.removeLayer(this.graticule);
      this.graticule = new ol.layer.Graticule(this.graticuleOptions());
      this.map.getLayers().insertAt(at, this.graticule);
      this.map.getLayers().forEach((layer) => layer.changed());
    }

    fit(box) { this.fitExtent(projected(box)); }

    fitExtent(extent) {
      if (extent.some((n) => !Number.isFinite(n))) return;
      this.map.updateSize();
      const edge = Math.min(48, this.clientHeight / 10);
      this.map.getView().fit(extent, { padding: [edge, edge, edge, edge], maxZoom: 14 });
    }

    fitAll() {
      const all = ol.extent.createEmpty();
      for (const layer of this.named.values()) {
        if (!layer.get("fits")) continue;
        const box = layer.get("bbox");
        ol.extent.extend(all, box ? projected(box) : layer.getSource().getExtent());
      }
      if (ol.extent.isEmpty(all)) this.fit(this.dataset.extent ? numbers(this.dataset.extent) : WORLD);
      else this.fitExtent(all);
    }

    followFeatures() {
      const found = (event) => this.map.forEachFeatureAtPixel(event.pixel, (f) => (f.get("title") ? f : undefined));
      this.map.on("pointermove", (event) => {
        if (event.dragging || this.drawing) return;
        const feature = found(event);
        this.status.textContent = feature?.get("title") ?? "";
        this.canvas.style.cursor = feature?.get("href") ? "pointer" : "";
      });
      this.map.on("click", (event) => {
        const href = !this.drawing && found(event)?.get("href");
        if (href && new URL(href, location.href).origin === location.origin) location.assign(href);
      });
    }
  }

  // Sliders and check boxes beside a map: data-layer-of="<map id>" data-layer="<layer id>".
  document.addEventListener("input", (event) => {
    const { layerOf, layer } = event.target.dataset ?? {};
    if (!layerOf) return;
    const shown = document.getElementById(layerOf)?.named?.get(layer);
    if (!shown) return;
    if (event.target.type === "checkbox") shown.setVisible(event.target.checked);
    else shown.setOpacity(Number(event.target.value) / 100);
  });

  customElements.define("map-view", MapView);
})();
