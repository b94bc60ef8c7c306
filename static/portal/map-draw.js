// Drawing on a <map-view>. The fields are the truth: the map writes into them and follows them.
//
// data-box      id prefix of the four number fields of a box (<prefix>-west …)
// data-shapes   id of a text area with GeoJSON
//
// Must be loaded before map.js, which says "map:ready" as soon as a map is there.
(() => {
  "use strict";

  const SIDES = ["west", "south", "east", "north"];
  const LONLAT = { featureProjection: "EPSG:3857", decimals: 6 };

  // One way of drawing: a button that switches it on, and what happens with what was drawn.
  class Pen {
    constructor(view, label, help, options, drawn) {
      Object.assign(this, { view, help, options, drawn });
      this.button = view.addTool(label, () => this.toggle());
      this.button.setAttribute("aria-pressed", "false");
    }

    toggle() {
      if (this.interaction) return this.stop();
      this.interaction = new ol.interaction.Draw({
        source: new ol.source.Vector(), style: this.view.outline("warn"), ...this.options(),
      });
      this.interaction.on("drawend", (event) => {
        this.drawn(event.feature);
        setTimeout(() => this.stop(), 0);
      });
      this.view.map.addInteraction(this.interaction);
      if (this.dragged) this.followDrag();
      this.view.drawing = true;
      this.button.setAttribute("aria-pressed", "true");
      this.view.status.textContent = this.help;
    }

    // Press, drag and let go does the same as two clicks; the map stays where it is meanwhile.
    followDrag() {
      this.drag = new ol.interaction.DragBox();
      this.drag.stopDown = () => false;  // the clicks are for the other interaction
      this.drag.on("boxend", () => {
        this.dragged(this.drag.getGeometry().getExtent());
        this.stop();
      });
      this.view.map.addInteraction(this.drag);
      this.pan(false);
    }

    pan(active) {
      for (const one of this.view.map.getInteractions().getArray()) {
        if (one instanceof ol.interaction.DragPan) one.setActive(active);
      }
    }

    stop() {
      this.view.map.removeInteraction(this.interaction);
      if (this.drag) {
        this.view.map.removeInteraction(this.drag);
        this.drag = null;
        this.pan(true);
      }
      this.interaction = null;
      this.view.drawing = false;
      this.button.setAttribute("aria-pressed", "false");
      this.view.status.textContent = "";
    }
  }

  function drawnLayer(view) {
    const layer = new ol.layer.Vector({
      source: new ol.source.Vector(), style: view.outline("warn", { width: 2.5 }), zIndex: 5,
    });
    view.map.addLayer(layer);
    return layer;
  }

  function announce(field) {
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  }

  function editBox(view, prefix) {
    const fields = SIDES.map((side) => document.getElementById(`${prefix}-${side}`));
    if (fields.includes(null)) return;
    view.box = drawnLayer(view);

    function read() {
      const source = view.box.getSource();
      source.clear();
      const values = fields.map((field) => (field.value.trim() === "" ? NaN : Number(field.value)));
      if (values.some((n) => !Number.isFinite(n)) || values[1] >= values[3]) return;
      source.addFeature(new ol.Feature(ol.geom.Polygon.fromExtent(view.projected(values))));
    }

    function write(extent) {
      ol.proj.transformExtent(extent, "EPSG:3857", "EPSG:4326").forEach((value, i) => {
        const most = i % 2 ? 90 : 180;
        fields[i].value = Math.min(most, Math.max(-most, value)).toFixed(5);
      });
      announce(fields[3]);
    }

    const pen = new Pen(
      view, "Draw box", "Drag a box, or click two opposite corners, or type the four numbers.",
      () => ({ type: "Circle", geometryFunction: ol.interaction.Draw.createBox() }),
      (feature) => write(feature.getGeometry().getExtent()),
    );
    pen.dragged = write;
    view.addTool("Use view", () => write(view.map.getView().calculateExtent(view.map.getSize())));
    for (const field of fields) field.addEventListener("input", read);
    read();
  }

  function editShapes(view, id) {
    const area = document.getElementById(id);
    if (!area) return;
    const format = new ol.format.GeoJSON();
    const source = drawnLayer(view).getSource();

    function read() {
      source.clear();
      try {
        source.addFeatures(format.readFeatures(area.value, LONLAT));
      } catch {
        // Not (yet) GeoJSON: the map shows nothing, and the portal says why when it is sent.
      }
    }

    function write(features) {
      area.value = features.length ? format.writeFeatures(features, { ...LONLAT, rightHanded: true }) : "";
      announce(area);
    }

    new Pen(
      view, "Draw outline", "Click the corners; click the last one twice to finish.",
      () => ({ type: "Polygon" }),
      (feature) => {
        feature.setProperties({ name: `Area ${source.getFeatures().length + 1}` });
        write([...source.getFeatures(), feature]);
      },
    );
    view.addTool("Clear", () => write([]));
    area.addEventListener("input", read);
    read();
  }

  document.addEventListener("map:ready", (event) => {
    const view = event.target;
    if (view.dataset.box) editBox(view, view.dataset.box);
    if (view.dataset.shapes) editShapes(view, view.dataset.shapes);
  });
})();
